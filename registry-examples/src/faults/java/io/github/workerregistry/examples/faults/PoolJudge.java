package io.github.workerregistry.examples.faults;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerListener;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.pool.ModelLoadFailedException;
import io.github.workerregistry.pool.PoolClosedException;
import io.github.workerregistry.pool.PoolEvent;
import io.github.workerregistry.pool.PoolListener;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;

/**
 * Compares what happens to the workers and requests of the model pool with the faults injected there. A fault is
 * entered before it is injected. Thread-safe.
 */
final class PoolJudge implements WorkerListener, PoolListener {

    private final Ledger ledger;
    private final LongSupplier clock;

    /** The fault of each worker that was hit, also after it has exited. */
    private final Map<String, Fault> hits = new HashMap<>();

    private final Set<Fault> open = new HashSet<>();
    private final Map<String, Fault> failing = new HashMap<>();
    private boolean closing;

    /**
     * Creates a judge without faults.
     *
     * @param clock a nanosecond clock, the ledger's own
     */
    PoolJudge(Ledger ledger, LongSupplier clock) {
        this.ledger = ledger;
        this.clock = clock;
    }

    // ---- faults ----

    /** A process is about to be hit; empty if it was hit before. */
    synchronized Optional<Fault> hit(FaultKind kind, WorkerInfo worker) {
        if (hits.containsKey(worker.id())) {
            return Optional.empty();
        }
        Fault fault = ledger.begin(kind, worker.id(), worker.generation(), clock.getAsLong());
        hits.put(worker.id(), fault);
        open.add(fault);
        return Optional.of(fault);
    }

    /** The process had exited. */
    synchronized void withdraw(Fault fault) {
        if (open.remove(fault)) {
            hits.remove(fault.workerId());
            ledger.withdrawn(fault);
        }
    }

    synchronized boolean wasHit(String workerId) {
        return hits.containsKey(workerId);
    }

    /** The loads of a model are about to fail. */
    synchronized void failing(String model) {
        failing.put(model, ledger.begin(FaultKind.MODEL_FAILING, model, 0, clock.getAsLong()));
    }

    /** Whether one of them has failed since. */
    synchronized boolean hasFailed(String model) {
        return !failing.containsKey(model);
    }

    /** They do not fail any more. */
    synchronized void failingNoMore(String model) {
        Fault fault = failing.remove(model);
        if (fault != null) {
            ledger.overtaken(fault); // nothing was loaded
        }
    }

    /** Whether each fault and update has had its effect. */
    synchronized boolean isSettled() {
        return open.isEmpty();
    }

    /** The pool is about to be closed. */
    synchronized void closing() {
        closing = true;
    }

    /** All workers have exited, or should have. */
    synchronized void end() {
        open.forEach(fault -> ledger.missed(fault, "never noticed"));
        open.clear();
    }

    // ---- what happens ----

    @Override
    public synchronized void onEvent(WorkerEvent event) {
        if (event instanceof WorkerEvent.Removed removed) {
            Fault fault = hits.get(removed.worker().id());
            if (fault != null && open.remove(fault)) {
                ledger.conclude(fault, clock.getAsLong());
            } else if (!isExpected(removed)) {
                ledger.unexplained("a worker of the model pool ended: " + removed);
            }
        } else if (event instanceof WorkerEvent.Overflowed overflowed) {
            ledger.unexplained("lost " + overflowed.dropped() + " events of the model pool");
        }
    }

    private boolean isExpected(WorkerEvent.Removed removed) {
        return switch (causeOf(removed)) {
            case EVICTED, REPLACED, IDLE_TIMEOUT -> true;
            case REQUESTED, SHUTDOWN -> closing;
            case CRASHED -> removed.exit().filter(PoolJudge::hasFailedToLoad).isPresent();
            default -> false;
        };
    }

    /** A worker that is stopped before it has a process has not failed to start. */
    private static Exit.Cause causeOf(WorkerEvent.Removed removed) {
        return removed.cause() == Exit.Cause.START_FAILED && removed.worker().state() instanceof Stopping stopping
                ? stopping.reason().cause()
                : removed.cause();
    }

    /** No other process of the run exits with this code. */
    private static boolean hasFailedToLoad(Exit exit) {
        return exit.status().code().equals(OptionalInt.of(FaultWorker.CRASH_CODE));
    }

    @Override
    public synchronized void onEvent(PoolEvent event) {
        if (event instanceof PoolEvent.LoadFailed failed
                && failed.exit().filter(PoolJudge::hasFailedToLoad).isPresent()) {
            Fault fault = failing.remove(failed.modelRef());
            if (fault != null) {
                ledger.conclude(fault, clock.getAsLong());
            }
        }
    }

    // ---- requests and updates ----

    /** A request, or an update, begins. */
    synchronized Fault begin(FaultKind kind, String model) {
        Fault request = ledger.begin(kind, model, 0, clock.getAsLong());
        if (kind == FaultKind.MODEL_UPDATE) {
            open.add(request);
        }
        return request;
    }

    /** It has succeeded. */
    synchronized void succeeded(Fault request) {
        open.remove(request);
        ledger.conclude(request, clock.getAsLong());
    }

    /** It has failed: in time and for one of the faults, or not. */
    synchronized void failed(Fault request, Throwable failure) {
        open.remove(request);
        if (!isExplained(request, failure)) {
            ledger.missed(request, "failed without a reason (" + failure + ")");
        } else if (ledger.isLate(request, clock.getAsLong())) {
            ledger.missed(request, "failed late (" + failure + ")");
        } else {
            ledger.overtaken(request);
        }
    }

    private boolean isExplained(Fault request, Throwable failure) {
        if (failure instanceof ModelLoadFailedException loadFailed) {
            return loadFailed
                    .exit()
                    .filter(exit -> hits.containsKey(exit.workerId()) || hasFailedToLoad(exit))
                    .isPresent();
        }
        return request.kind() == FaultKind.MODEL_UPDATE
                ? failure instanceof CancellationException // by the next update
                : failure instanceof PoolClosedException && closing;
    }
}
