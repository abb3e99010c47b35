package io.github.workerregistry.examples.queen;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The workers of one model on one hive, as its last snapshot says.
 *
 * <p>Requests that the queen has sent there since, and that are not answered yet, count as taken slots: the snapshot
 * does not know of them. With the next snapshot, which knows, a new view begins at zero, and so it does with a worker's
 * ready call-back.
 */
final class ModelView {

    private static final Comparator<WorkerSnapshot> BEST_FIRST = Comparator.comparing(Usefulness::of)
            .thenComparingDouble(ModelView::load)
            .thenComparing(WorkerSnapshot::id);

    private final HiveSnapshot hive;
    private final WorkerSnapshot best;
    private final Usefulness said;
    private final double bestLoad;
    private final int slotsTotal;
    private final int slotsAvailable;
    private final AtomicInteger underWay = new AtomicInteger();

    /** What a worker is good for, the best first. */
    enum Usefulness {
        /** It can take a request now. */
        FREE,
        /** It works on as many as it can. */
        BUSY,
        /** It will take some. */
        LOADING,
        /** It is stopping, or between two starts. */
        NONE;

        static Usefulness of(WorkerSnapshot worker) {
            if (worker.isRoutable()) {
                return worker.slotsAvailable() > 0 ? FREE : BUSY;
            }
            return worker.isLoading() ? LOADING : NONE;
        }
    }

    /** The view of a hive's workers of one model; at least one. */
    ModelView(HiveSnapshot hive, List<WorkerSnapshot> workers) {
        this.hive = hive;
        this.best = workers.stream().min(BEST_FIRST).orElseThrow();
        this.said = Usefulness.of(best);
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

    /** Where the hive answers. */
    String url() {
        return hive.url();
    }

    /** The worker with a free slot that has the least to do; if none is free, the busy one; else one that loads. */
    WorkerSnapshot best() {
        return best;
    }

    /** What the best one is good for, if the requests that are under way have taken what was free. */
    Usefulness usefulness() {
        return said == Usefulness.FREE && slotsAvailable - underWay.get() <= 0 ? Usefulness.BUSY : said;
    }

    /** How much the best worker has to do: 0 to 1. */
    double bestLoad() {
        return bestLoad;
    }

    /** How much all of them have to do; more than 1 if more is under way than they can take. */
    double load() {
        return slotsTotal == 0 ? 1 : (slotsTotal - slotsAvailable + underWay.get()) / (double) slotsTotal;
    }

    void requestBegins() {
        underWay.incrementAndGet();
    }

    void requestEnds() {
        underWay.decrementAndGet();
    }

    private static double load(WorkerSnapshot worker) {
        return 1 - worker.slotsAvailable() / (double) worker.slotsTotal();
    }
}
