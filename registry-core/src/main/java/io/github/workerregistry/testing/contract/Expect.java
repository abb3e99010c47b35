package io.github.workerregistry.testing.contract;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Assertions whose messages contain the expected and the actual value. */
final class Expect {

    private Expect() {}

    static void that(boolean holds, String expectation) {
        if (!holds) {
            throw new AssertionError("expected " + expectation);
        }
    }

    static void equal(String what, @Nullable Object expected, @Nullable Object actual) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError("expected " + what + " to be " + expected + ", was " + actual);
        }
    }

    static AssertionError interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new AssertionError("the check was interrupted", e);
    }
}
