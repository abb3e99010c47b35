package io.github.workerregistry.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does not register the extension itself, like all tests of this module. */
class UnexpectedWarningsTest {

    private static final Logger log = LoggerFactory.getLogger("io.github.workerregistry.lifecycle.ALoop");

    @ExpectWarnings("was lost")
    private static final class Expecting {}

    @Test
    void extensionIsActiveForEveryTest() {
        log.warn("worker {} was lost", "w");

        assertThat(UnexpectedWarnings.unexpected(UnexpectedWarningsTest.class))
                .containsExactly("WARN of io.github.workerregistry.lifecycle.ALoop: worker w was lost");
        assertThat(UnexpectedWarnings.unexpected(UnexpectedWarningsTest.class)).isEmpty();
    }

    @Test
    void onlyUnexpectedWarningsAreReported() {
        log.warn("worker {} was lost", "w");
        log.error("worse");
        log.info("worker {} is ready", "w");
        LoggerFactory.getLogger("io.github.another").warn("not ours");

        assertThat(UnexpectedWarnings.unexpected(Expecting.class))
                .containsExactly("ERROR of io.github.workerregistry.lifecycle.ALoop: worse");
    }
}
