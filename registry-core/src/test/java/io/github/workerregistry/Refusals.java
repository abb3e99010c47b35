package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.lifecycle.WorkerSpec;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Calls that are refused because of a value. */
final class Refusals {

    private Refusals() {}

    /** Fails unless the call throws an {@link IllegalArgumentException} whose message contains all of these. */
    static void assertRefused(ThrowingCallable call, String... named) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll(named);
    }

    /** A valid specification of a worker, for one value to be replaced. */
    static WorkerSpec.Builder spec() {
        return WorkerSpec.builder().modelRef("m").command("serve").url("http://fake");
    }
}
