package io.github.workerregistry.process;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Kills processes and waits until they have exited. The only place where this package waits for a process. */
final class KillLoop {

    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final BooleanSupplier allExited;
    private final BooleanSupplier anyAlive;
    private final BooleanSupplier kill;

    /**
     * @param allExited searches for further processes; true if none is left
     * @param anyAlive whether a known process is left
     * @param kill kills the known processes; true if all were signalled
     */
    KillLoop(BooleanSupplier allExited, BooleanSupplier anyAlive, BooleanSupplier kill) {
        this.allExited = allExited;
        this.anyAlive = anyAlive;
        this.kill = kill;
    }

    /**
     * Searches and kills until no process is left. A search after the first kill finds processes that were being
     * started meanwhile, or were hidden behind killed ones.
     *
     * @param deadline in terms of {@link System#nanoTime}
     * @return false if the deadline passed first
     */
    boolean run(long deadline) {
        boolean exited = allExited.getAsBoolean();
        boolean interrupted = false;
        while (!exited && deadline - System.nanoTime() > 0) {
            boolean sent = kill.getAsBoolean();
            do {
                interrupted |= park();
                sent = sent || kill.getAsBoolean();
            } while (anyAlive.getAsBoolean() && deadline - System.nanoTime() > 0);
            exited = allExited.getAsBoolean();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return exited;
    }

    /** Parks for one poll interval; returns whether the thread was interrupted, and clears the interrupt. */
    static boolean park() {
        LockSupport.parkNanos(POLL_NANOS);
        return Thread.interrupted();
    }
}
