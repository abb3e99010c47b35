package io.github.workerregistry.examples.faults;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerListener;
import io.github.workerregistry.WorkerState.BackingOff;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.LongSupplier;

/**
 * Compares the library's events with the {@link Ledger}: every exit must have a reason there, and every fault there
 * must have its effect. Of the library's own data only the events are used.
 */
final class Judge implements WorkerListener {

    private static final int SIGKILL = 9;

    /** Events may be late, and the event that starts an idle time may be later than the one that ends it. */
    private static final Duration EVENT_LAG = Duration.ofMillis(500);

    private final Ledger ledger;
    private final LeaseBook leases;
    private final Bounds bounds;
    private final LongSupplier clock;
    private boolean shuttingDown; // guarded by ledger

    /**
     * Creates a judge without events.
     *
     * @param clock a nanosecond clock, the ledger's own
     */
    Judge(Ledger ledger, LeaseBook leases, Bounds bounds, LongSupplier clock) {
        this.ledger = ledger;
        this.leases = leases;
        this.bounds = bounds;
        this.clock = clock;
    }

    /** Called before the shutdown: from now on every exit is expected. */
    void shuttingDown() {
        synchronized (ledger) {
            shuttingDown = true;
        }
    }

    /** Holds the ledger's lock between reading it and recording the result. */
    @Override
    public void onEvent(WorkerEvent event) {
        synchronized (ledger) {
            if (event instanceof WorkerEvent.Overflowed overflowed) {
                ledger.unexplained("lost " + overflowed.dropped() + " events");
            } else if (event instanceof WorkerEvent.OfWorker ofWorker) {
                WorkerInfo worker = ofWorker.worker();
                Life life = ledger.life(worker.id());
                if (life == null) {
                    ledger.unexplained("an event of an unknown or removed worker: " + event);
                } else {
                    on(ofWorker, life, worker, clock.getAsLong());
                }
            }
        }
    }

    private void on(WorkerEvent.OfWorker event, Life life, WorkerInfo worker, long now) {
        if (event instanceof WorkerEvent.Registered) {
            started(life, worker, now);
        } else if (event instanceof WorkerEvent.BecameReady) {
            ready(life, worker, now);
        } else if (event instanceof WorkerEvent.StopStarted stopping) {
            stopping(life, worker, stopping.reason().cause(), now);
        } else if (event instanceof WorkerEvent.Crashed crashed) {
            ended(life, worker, crashed.exit(), now);
        } else if (event instanceof WorkerEvent.RestartScheduled scheduled) {
            restartPlanned(life, worker, scheduled, now);
        } else if (event instanceof WorkerEvent.Restarted) {
            restarted(life, worker, now);
        } else if (event instanceof WorkerEvent.Removed removed) {
            removed(life, worker, removed, now);
        }
    }

    private void started(Life life, WorkerInfo worker, long now) {
        life.begin(worker.generation());
        if (life.purpose != Purpose.CRASH_LOOP) {
            add(life, FaultKind.LOAD, worker, now);
        }
    }

    private void restarted(Life life, WorkerInfo worker, long now) {
        if (worker.generation() != life.generation + 1) {
            ledger.unexplained(worker.id() + ", generation " + life.generation + ", was restarted as generation "
                    + worker.generation());
        }
        if (worker.startedAt().isBefore(life.restartAt)) {
            ledger.unexplained(
                    worker.id() + ", generation " + worker.generation() + ", did not wait until " + life.restartAt);
        }
        ledger.confirm(life, FaultKind.RESTART, now);
        ledger.confirm(life, FaultKind.OPERATOR_RESTART, now);
        started(life, worker, now);
    }

    private void ready(Life life, WorkerInfo worker, long now) {
        ledger.confirm(life, FaultKind.LOAD, now);
        life.readyAt = now;
        if (life.purpose == Purpose.QUIET) {
            add(life, FaultKind.IDLE, worker, now);
        }
    }

    private void stopping(Life life, WorkerInfo worker, Exit.Cause reason, long now) {
        boolean explained = switch (reason) {
            case UNHEALTHY -> isHung(life, now) && hasFailedOftenEnough(worker);
            case HEARTBEAT_MISSED -> isSilent(life, now);
            case IDLE_TIMEOUT -> isIdle(life, worker, now);
            case REQUESTED -> life.has(FaultKind.STOP);
            case FORCED -> life.has(FaultKind.FORCE_KILL);
            case RESTART -> life.has(FaultKind.OPERATOR_RESTART);
            default -> false;
        };
        if (!explained && !shuttingDown) {
            ledger.unexplained(worker.id() + ", generation " + worker.generation() + ", is ended: " + reason
                    + "; done to it: " + life.open);
            ledger.killedInVain(life);
        }
        life.stopping = reason;
        if (reason == Exit.Cause.UNHEALTHY) {
            ledger.confirm(life, FaultKind.HANG, now);
            ledger.confirm(life, FaultKind.SICK, now);
        } else if (reason == Exit.Cause.HEARTBEAT_MISSED) {
            ledger.confirm(life, FaultKind.MUTE, now);
        } else if (reason == Exit.Cause.IDLE_TIMEOUT) {
            ledger.confirm(life, FaultKind.IDLE, now);
        }
        add(life, FaultKind.END, worker, now);
    }

    /** A pause that became longer than planned counts as a hang. */
    private boolean isHung(Life life, long now) {
        return life.has(FaultKind.HANG)
                || life.has(FaultKind.SICK)
                || lasted(life, FaultKind.PAUSE, bounds.shortestHang(), now);
    }

    private boolean hasFailedOftenEnough(WorkerInfo worker) {
        return worker.failedHealthChecks() >= bounds.config().failureThreshold();
    }

    private boolean isSilent(Life life, long now) {
        return lasted(life, FaultKind.MUTE, bounds.shortestSilence(), now)
                || lasted(life, FaultKind.PAUSE, bounds.shortestSilence(), now);
    }

    private static boolean lasted(Life life, FaultKind kind, Duration least, long now) {
        return life.find(kind)
                .filter(fault -> fault.lasted(now) >= least.toNanos())
                .isPresent();
    }

    private boolean isIdle(Life life, WorkerInfo worker, long now) {
        long lastUse = leases.lastUse(worker.id(), worker.generation());
        long idle = lastUse == Long.MIN_VALUE ? now - life.readyAt : Math.min(now - life.readyAt, now - lastUse);
        Duration timeout = bounds.config().idleTimeout().orElseThrow();
        return idle >= timeout.minus(EVENT_LAG).toNanos();
    }

    /** A process has exited: each of its faults has had its effect or is overtaken. */
    private void ended(Life life, WorkerInfo worker, Exit exit, long now) {
        boolean killed = exit.status().signal().orElse(0) == SIGKILL;
        boolean explained = exit.cause() == life.stopping || shuttingDown || isCrash(life, exit, killed);
        if (!explained) {
            ledger.unexplained(worker.id() + ", generation " + exit.generation() + ", ended: " + exit.cause() + ", "
                    + exit.status() + "; done to it: " + life.open + "; its last output lines: " + exit.output());
            ledger.killedInVain(life);
        }
        life.ended = true;
        ledger.confirm(life, FaultKind.END, now);
        if (killed) {
            ledger.confirm(life, FaultKind.KILL, now);
            ledger.confirm(life, FaultKind.KILL_POOL_FULL, now);
        }
        ledger.overtakeAllBut(
                life, FaultKind.CRASH_LOOP, FaultKind.STOP, FaultKind.FORCE_KILL, FaultKind.OPERATOR_RESTART);
    }

    private boolean isCrash(Life life, Exit exit, boolean killed) {
        boolean lastOfLoop = exit.generation() == bounds.lastGeneration();
        return switch (exit.cause()) {
            case CRASHED ->
                life.has(FaultKind.CRASH_LOOP)
                        ? exit.status().code().equals(OptionalInt.of(FaultWorker.CRASH_CODE)) && !lastOfLoop
                        : killed && (life.has(FaultKind.KILL) || life.has(FaultKind.KILL_POOL_FULL));
            case CRASH_LOOP -> life.has(FaultKind.CRASH_LOOP) && lastOfLoop;
            default -> false;
        };
    }

    private void restartPlanned(Life life, WorkerInfo worker, WorkerEvent.RestartScheduled scheduled, long now) {
        if (worker.state() instanceof BackingOff backingOff) {
            if (!life.ended) { // it exited and no crash event was sent
                ended(life, worker, backingOff.exit(), now);
            }
            if (backingOff.exit().cause() != Exit.Cause.RESTART) { // which is not counted
                life.restartPlanned(now);
            }
            life.restartAt = scheduled.retryAt();
            Duration wait = Duration.between(backingOff.exit().at(), scheduled.retryAt());
            if (wait.compareTo(bounds.restart().max()) > 0) {
                ledger.unexplained(worker.id() + ", generation " + worker.generation() + ", has to wait " + wait);
            }
            add(life, FaultKind.RESTART, worker, now + wait.toNanos());
        } else {
            ledger.unexplained("a restart of a worker that does not back off: " + worker);
        }
    }

    private void removed(Life life, WorkerInfo worker, WorkerEvent.Removed removed, long now) {
        boolean requested = life.has(FaultKind.STOP) || life.has(FaultKind.FORCE_KILL) || shuttingDown;
        boolean restartDue = life.ended || removed.cause() == Exit.Cause.RESTART;
        if (!life.ended) { // it exited and no crash event was sent
            removed.exit()
                    .ifPresentOrElse(
                            exit -> ended(life, worker, exit, now),
                            () -> ledger.unexplained(worker.id() + " was removed without an exit: " + removed.cause()));
        }
        if (restartDue && !requested && removed.cause() != Exit.Cause.CRASH_LOOP) {
            ledger.unexplained(worker.id() + " was not restarted after " + removed.cause());
        }
        ledger.confirm(life, FaultKind.STOP, now);
        ledger.confirm(life, FaultKind.FORCE_KILL, now);
        if (removed.cause() == Exit.Cause.CRASH_LOOP) {
            ledger.confirm(life, FaultKind.CRASH_LOOP, now);
        }
        ledger.close(worker.id(), life);
    }

    private void add(Life life, FaultKind kind, WorkerInfo worker, long since) {
        ledger.add(life, kind, worker.id(), worker.generation(), since);
    }
}
