package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Durations.longer;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Steady load in virtual time: so many requests wait for each model, always; a load and a request take a time. */
final class SteadyLoad {

    private final VirtualPool pool;
    private final List<String> models;
    private final int waiting;
    private final Duration load;
    private final Duration use;
    private final Map<String, Integer> queued = new HashMap<>();
    private final Map<String, Instant> readyAt = new HashMap<>();
    private final Map<String, Integer> servedByWorker = new HashMap<>();
    private final Map<String, Duration> longestWait = new HashMap<>();
    private final Map<String, Instant> lastGrant = new HashMap<>();
    private final Map<String, Duration> longestGap = new HashMap<>();
    private final Instant begun;
    private final Deque<Map.Entry<Instant, SlotLease>> open = new ArrayDeque<>();
    private final long startsBefore;

    SteadyLoad(VirtualPool pool, List<String> models, int waiting, int loadSeconds, int useSeconds) {
        this.pool = pool;
        this.models = models;
        this.waiting = waiting;
        load = Duration.ofSeconds(loadSeconds);
        use = Duration.ofSeconds(useSeconds);
        begun = pool.time.instant();
        startsBefore = pool.processes.starts();
    }

    SteadyLoad run(int seconds) {
        for (int i = 0; i < seconds; i++) {
            models.forEach(this::request);
            pool.advanceSeconds(1);
            for (WorkerInfo worker : pool.registry.list()) {
                if (worker.state() instanceof Loading && isDue(worker.id())) {
                    pool.supervisor.reportReady(worker.id());
                }
            }
            pool.run();
            release();
            pool.run();
        }
        return this;
    }

    private void request(String model) {
        while (queued.merge(model, 1, Integer::sum) <= waiting) {
            Instant since = pool.time.instant();
            pool.pending(SlotRequest.forModel(model)).lease().thenAccept(lease -> {
                queued.merge(model, -1, Integer::sum);
                Instant now = pool.time.instant();
                longestWait.merge(model, Duration.between(since, now), (a, b) -> longer(a, b));
                longestGap.merge(model, sinceLastGrant(model), (a, b) -> longer(a, b));
                lastGrant.put(model, now);
                servedByWorker.merge(lease.workerId(), 1, Integer::sum);
                open.add(Map.entry(now.plus(use), lease));
            });
        }
        queued.merge(model, -1, Integer::sum); // the one too many
    }

    private boolean isDue(String id) {
        Instant now = pool.time.instant();
        return !readyAt.computeIfAbsent(id, first -> now.plus(load)).isAfter(now);
    }

    private void release() {
        for (Map.Entry<Instant, SlotLease> entry : List.copyOf(open)) {
            if (!entry.getKey().isAfter(pool.time.instant())) {
                open.remove(entry);
                entry.getValue().close();
            }
        }
    }

    long starts() {
        return pool.processes.starts() - startsBefore;
    }

    /** Requests served by each worker that has been evicted, in no order. */
    List<Integer> servedByEvicted() {
        return pool.events.stream()
                .filter(PoolEvent.Evicted.class::isInstance)
                .map(event -> servedByWorker.getOrDefault(
                        ((PoolEvent.Evicted) event).worker().id(), 0))
                .toList();
    }

    private Duration sinceLastGrant(String model) {
        return Duration.between(lastGrant.getOrDefault(model, begun), pool.time.instant());
    }

    /** The longest time without a grant. */
    Duration longestGap(String model) {
        return longer(longestGap.getOrDefault(model, Duration.ZERO), sinceLastGrant(model));
    }

    /** The longest wait of a request, also of one that still waits. */
    Duration longestWait(String model) {
        return longer(
                longestWait.getOrDefault(model, Duration.ZERO),
                pool.status(model).longestWait());
    }
}
