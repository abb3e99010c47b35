package io.github.workerregistry.process;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Ends processes by SIGKILL and waits until they have gone. The only place where this package waits for a process. */
final class KillLoop {

    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final BooleanSupplier areGone;
    private final BooleanSupplier areAlive;
    private final BooleanSupplier kill;

    /**
     * @param areGone searches for more, and says whether none is left
     * @param areAlive whether one of the known is left
     * @param kill kills the known, and says whether the signal came through to all
     */
    KillLoop(BooleanSupplier areGone, BooleanSupplier areAlive, BooleanSupplier kill) {
        this.areGone = areGone;
        this.areAlive = areAlive;
        this.kill = kill;
    }

    /**
     * Searches and kills until none is left. Whoever is found after the first ones were killed was being started just
     * then, or was hidden behind them.
     *
     * @param deadline as {@link System#nanoTime} gives it
     * @return false if the time was over before
     */
    boolean run(long deadline) {
        boolean gone = areGone.getAsBoolean();
        boolean interrupted = false;
        while (!gone && deadline - System.nanoTime() > 0) {
            boolean sent = kill.getAsBoolean();
            do {
                interrupted |= pause();
                sent = sent || kill.getAsBoolean();
            } while (areAlive.getAsBoolean() && deadline - System.nanoTime() > 0);
            gone = areGone.getAsBoolean();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return gone;
    }

    /** An interrupt does not shorten it; gives whether there was one. */
    static boolean pause() {
        LockSupport.parkNanos(POLL_NANOS);
        return Thread.interrupted();
    }
}
