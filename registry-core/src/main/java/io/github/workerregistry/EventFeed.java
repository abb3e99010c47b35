package io.github.workerregistry;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;

/**
 * Turns transitions into events, counts them, and puts them into each listener's queue.
 *
 * <p>Everything but {@link #subscribe} and {@link #dispatch} is called under the registry's write lock, so events have
 * one order and the totals need no atomics.
 */
final class EventFeed {

    private final List<ListenerQueue> queues = new CopyOnWriteArrayList<>();
    private final int capacity;
    private final InstantSource clock;

    private long registered;
    private long becameReady;
    private long crashed;
    private long restarted;
    private long healthChecksFailed;
    private long healthChecksUnknown;
    private long suspected;
    private final Map<Exit.Cause, Long> endedBy = new EnumMap<>(Exit.Cause.class);

    EventFeed(int capacity, InstantSource clock) {
        this.capacity = capacity;
        this.clock = clock;
    }

    Subscription subscribe(WorkerListener listener, Executor executor) {
        ListenerQueue queue = new ListenerQueue(listener, executor, capacity, clock, queues::remove);
        queues.add(queue);
        return queue;
    }

    /** Starts the delivery of enqueued events on the listeners' executors. Called with no lock held. */
    void dispatch() {
        for (ListenerQueue queue : queues) {
            queue.wake();
        }
    }

    /** Whether a listener is being called. */
    boolean isDelivering() {
        return queues.stream().anyMatch(ListenerQueue::isDelivering);
    }

    void registered(WorkerInfo worker) {
        registered++;
        emit(new WorkerEvent.Registered(worker));
    }

    void healthCheckFailed(WorkerInfo worker) {
        healthChecksFailed++;
        emit(new WorkerEvent.HealthCheckFailed(worker));
    }

    void healthCheckUnknown() {
        healthChecksUnknown++;
    }

    void changed(WorkerInfo before, WorkerInfo after) {
        WorkerState next = after.state();
        if (next instanceof Idle && before.state() instanceof Loading) {
            becameReady++;
            emit(new WorkerEvent.BecameReady(after));
        } else if (next instanceof BackingOff backingOff) {
            count(backingOff.exit().cause());
            WorkerEvent scheduled = new WorkerEvent.RestartScheduled(after, backingOff.attempt(), backingOff.retryAt());
            if (backingOff.exit().cause().isFailure()) {
                emit(crashed(after, backingOff.exit()), scheduled);
            } else {
                emit(scheduled);
            }
        } else if (next instanceof Loading) {
            restarted++;
            emit(new WorkerEvent.Restarted(after));
        } else if (next instanceof Stopping stopping) {
            WorkerEvent stops = new WorkerEvent.StopStarted(after, stopping.reason());
            if (stopping.reason() == StopReason.IDLE_TIMEOUT) {
                emit(new WorkerEvent.IdleTimedOut(after), stops);
            } else {
                emit(stops);
            }
        }
    }

    void suspected(WorkerInfo worker, StopReason reason) {
        suspected++;
        emit(new WorkerEvent.Suspected(worker, reason));
    }

    void cleared(WorkerInfo worker) {
        emit(new WorkerEvent.SuspicionCleared(worker));
    }

    void removed(WorkerInfo worker, Exit.Cause cause, Optional<Exit> exit) {
        WorkerEvent removal = new WorkerEvent.Removed(worker, cause, exit);
        boolean isCounted = worker.state() instanceof BackingOff;
        if (!isCounted) {
            count(cause);
        }
        if (!isCounted && cause.isFailure() && exit.isPresent()) {
            emit(crashed(worker, exit.get()), removal);
        } else {
            emit(removal);
        }
    }

    RegistryStats.Builder stats(List<WorkerInfo> workers) {
        List<WorkerInfo> routable =
                workers.stream().filter(worker -> worker.state().routable()).toList();
        return RegistryStats.builder()
                .loading(count(workers, Loading.class))
                .idle(count(workers, Idle.class))
                .busy(count(workers, Busy.class))
                .backingOff(count(workers, BackingOff.class))
                .stopping(count(workers, Stopping.class))
                .slotsTotal(routable.stream().mapToLong(WorkerInfo::slotsTotal).sum())
                .slotsInUse(routable.stream().mapToLong(WorkerInfo::slotsInUse).sum())
                .registered(registered)
                .becameReady(becameReady)
                .crashed(crashed)
                .restarted(restarted)
                .healthChecksFailed(healthChecksFailed)
                .healthChecksUnknown(healthChecksUnknown)
                .suspected(suspected)
                .endedBy(endedBy);
    }

    private static int count(List<WorkerInfo> workers, Class<? extends WorkerState> state) {
        return (int) workers.stream()
                .filter(worker -> state.isInstance(worker.state()))
                .count();
    }

    private void count(Exit.Cause cause) {
        endedBy.merge(cause, 1L, Long::sum);
    }

    private WorkerEvent crashed(WorkerInfo worker, Exit exit) {
        crashed++;
        return new WorkerEvent.Crashed(worker, exit);
    }

    /** Enqueues all events of one step. */
    private void emit(WorkerEvent... step) {
        for (ListenerQueue queue : queues) {
            queue.offer(step);
        }
    }
}
