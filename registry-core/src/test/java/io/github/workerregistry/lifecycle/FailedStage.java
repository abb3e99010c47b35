package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;

/** Asserts that a stage has failed, and with what. */
final class FailedStage {

    private FailedStage() {}

    static Throwable failureOf(CompletableFuture<?> stage) {
        assertThat(stage).isCompletedExceptionally();
        return stage.handle((value, failure) -> failure).join();
    }

    static void assertFailedWith(Class<? extends Throwable> type, CompletableFuture<?> stage) {
        assertThat(failureOf(stage)).isInstanceOf(type);
    }
}
