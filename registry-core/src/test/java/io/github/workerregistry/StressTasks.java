package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/** Tasks for {@link ManyThreads} that end together: the first that is done, or fails, ends the others. */
final class StressTasks {

    /**
     * Number of attempts of a thread that may fail. The thread that it competes with may be off its core for many
     * attempts.
     */
    static final int ATTEMPTS = 20_000_000;

    private StressTasks() {}

    /** Repeats an action until another task is done. */
    static Callable<Void> until(AtomicBoolean done, ManyThreads.Action action) {
        return () -> {
            try {
                while (!done.get()) {
                    action.run();
                }
                return null;
            } finally {
                done.set(true);
            }
        };
    }

    /** Does an action so many times, and is done then. */
    static Callable<Void> times(int count, AtomicBoolean done, ManyThreads.Action action) {
        return () -> {
            try {
                for (int i = 0; i < count && !done.get(); i++) {
                    action.run();
                }
                return null;
            } finally {
                done.set(true);
            }
        };
    }

    /** Repeats an attempt until enough of them have succeeded, and is done then. Yields after each that failed. */
    @SuppressWarnings("ThreadPriorityCheck") // the competing thread may be off its core
    static Callable<Void> untilEnough(BooleanSupplier enough, AtomicBoolean done, Callable<Boolean> attempt) {
        return () -> {
            try {
                for (int attempts = 0; !enough.getAsBoolean() && !done.get(); attempts++) {
                    assertThat(attempts).as("attempts").isLessThan(ATTEMPTS);
                    if (!attempt.call()) {
                        Thread.yield();
                    }
                }
                return null;
            } finally {
                done.set(true);
            }
        };
    }

    /** Pauses before the next read of what another thread is about to change: spins at first, then yields. */
    @SuppressWarnings("ThreadPriorityCheck")
    static void pause(int reads) {
        if (reads < 1_000) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    /** Spins for a moment. */
    static void pause() {
        for (int i = 0; i < 50; i++) {
            Thread.onSpinWait();
        }
    }
}
