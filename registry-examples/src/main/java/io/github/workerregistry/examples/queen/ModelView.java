package io.github.workerregistry.examples.queen;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The workers of one model on one hive, according to its last snapshot.
 *
 * <p>Requests that the queen has sent since and that are not answered yet count as slots in use, because the snapshot
 * does not include them. The view for the next snapshot, which includes them, starts at zero, and so does the view for
 * a ready call of a worker.
 */
final class ModelView {

    private static final Comparator<WorkerSnapshot> BEST_FIRST = Comparator.comparing(Usefulness::of)
            .thenComparingDouble(ModelView::load)
            .thenComparing(WorkerSnapshot::id);

    private final HiveSnapshot hive;
    private final WorkerSnapshot best;
    private final Usefulness usefulness;
    private final double bestLoad;
    private final int slotsTotal;
    private final int slotsAvailable;
    private final AtomicInteger inFlight = new AtomicInteger();

    /** How useful a worker is for a request, the best first. */
    enum Usefulness {
        /** It has a free slot. */
        FREE,
        /** All its slots are in use. */
        BUSY,
        /** It is loading. */
        LOADING,
        /** It is stopping or backing off. */
        NONE;

        static Usefulness of(WorkerSnapshot worker) {
            if (worker.isRoutable()) {
                return worker.slotsAvailable() > 0 ? FREE : BUSY;
            }
            return worker.isLoading() ? LOADING : NONE;
        }
    }

    /** Creates a view of at least one worker. */
    ModelView(HiveSnapshot hive, List<WorkerSnapshot> workers) {
        this.hive = hive;
        this.best = workers.stream().min(BEST_FIRST).orElseThrow();
        this.usefulness = Usefulness.of(best);
        this.bestLoad = load(best);
        this.slotsTotal = workers.stream()
                .filter(WorkerSnapshot::isRoutable)
                .mapToInt(WorkerSnapshot::slotsTotal)
                .sum();
        this.slotsAvailable =
                workers.stream().mapToInt(WorkerSnapshot::slotsAvailable).sum();
    }

    HiveSnapshot hive() {
        return hive;
    }

    String node() {
        return hive.node();
    }

    /** The url of the hive. */
    String url() {
        return hive.url();
    }

    /** The least loaded worker with a free slot; without one, a busy worker; otherwise a loading one. */
    WorkerSnapshot best() {
        return best;
    }

    /** The usefulness of the best worker, assuming that requests in flight use free slots. */
    Usefulness usefulness() {
        return usefulness == Usefulness.FREE && slotsAvailable - inFlight.get() <= 0 ? Usefulness.BUSY : usefulness;
    }

    /** The load of the best worker: 0 to 1. */
    double bestLoad() {
        return bestLoad;
    }

    /** The load of all workers; more than 1 if more requests are in flight than slots exist. */
    double load() {
        return slotsTotal == 0 ? 1 : (slotsTotal - slotsAvailable + inFlight.get()) / (double) slotsTotal;
    }

    void requestBegins() {
        inFlight.incrementAndGet();
    }

    void requestEnds() {
        inFlight.decrementAndGet();
    }

    private static double load(WorkerSnapshot worker) {
        return 1 - worker.slotsAvailable() / (double) worker.slotsTotal();
    }
}
