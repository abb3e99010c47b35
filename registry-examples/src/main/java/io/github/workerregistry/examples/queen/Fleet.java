package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.queen.HiveView.CallBack;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;

/**
 * All hives and their workers, in memory, as far as their snapshots say.
 *
 * <p>Look-ups take no lock. Those who change something take turns, and put one immutable view of a hive in place of
 * another.
 */
final class Fleet {

    /**
     * How long a worker's call-back stands without its hive's word. A hive writes a snapshot within 200 ms of what
     * becomes of a worker, so one that has written none in this time knows nothing of it.
     */
    static final Duration CONFIRMATION = Duration.ofSeconds(5);

    /** How many workers of one hive may be unconfirmed at once. More than that become ready in no 200 ms. */
    static final int MOST_UNCONFIRMED = 100;

    private static final ConcurrentMap<String, ModelView> NO_VIEWS = new ConcurrentHashMap<>();

    private final LongSupplier nanoTime;
    private final ConcurrentMap<String, HiveView> hives = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, ConcurrentMap<String, ModelView>> byModel = new ConcurrentHashMap<>();

    Fleet(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Takes a hive's snapshot, if it is newer than what is known.
     *
     * @return false if it is not
     */
    synchronized boolean accept(HiveSnapshot snapshot) {
        HiveView known = hives.get(snapshot.node());
        if (known != null && !snapshot.isNewerThan(known.snapshot())) {
            return false;
        }
        replace(snapshot);
        return true;
    }

    /** Takes a hive's snapshot, whatever is known. */
    synchronized void replace(HiveSnapshot snapshot) {
        put(HiveView.of(snapshot, nanoTime.getAsLong()));
    }

    /** Forgets a hive and all that it has. */
    synchronized void drop(String node) {
        HiveView known = hives.remove(node);
        if (known != null) {
            known.models().keySet().forEach(model -> remove(model, node));
        }
    }

    /** What came of a worker's call-back. */
    enum Ready {
        /** It takes requests from now on; its hive's next snapshot says so or says otherwise. */
        REGISTERED,
        /** It did already. */
        KNOWN,
        /** There is no such hive. */
        NO_SUCH_NODE,
        /** Its hive knows it with another url or model. */
        ANOTHER,
        /** Its hive says that it is stopping, or between two starts. */
        NOT_LOADING,
        /** Too many that its hive has said nothing of are there already. */
        TOO_MANY
    }

    /**
     * Registers a worker that says that it is ready, until its hive's next snapshot, for {@link #CONFIRMATION} at most.
     * Of one that the hive has told of, it changes the state alone.
     */
    synchronized Ready ready(String node, WorkerSnapshot worker) {
        HiveView hive = hives.get(node);
        if (hive == null) {
            return Ready.NO_SUCH_NODE;
        }
        WorkerSnapshot known = hive.worker(worker.id()).orElse(null);
        if (known != null
                && !(known.url().equals(worker.url()) && known.modelRef().equals(worker.modelRef()))) {
            return Ready.ANOTHER;
        }
        if (known != null && known.isRoutable()) {
            return Ready.KNOWN;
        }
        if (known != null && !known.isLoading()) {
            return Ready.NOT_LOADING;
        }
        if (hive.unconfirmed().size() >= MOST_UNCONFIRMED) {
            return Ready.TOO_MANY;
        }
        put(hive.with(new CallBack(known == null ? worker : known.loaded(), nanoTime.getAsLong())));
        return Ready.REGISTERED;
    }

    /** Drops the call-backs that no snapshot has confirmed in time. To be called about once a second. */
    synchronized void dropUnconfirmed() {
        long oldest = nanoTime.getAsLong() - CONFIRMATION.toNanos();
        for (HiveView hive : hives.values()) {
            if (hive.hasCallBackBefore(oldest)) {
                put(hive.withoutCallBacksBefore(oldest));
            }
        }
    }

    Collection<HiveView> hives() {
        return hives.values();
    }

    /** How long ago the last snapshot of a hive came. */
    Duration age(HiveView hive) {
        return Duration.ofNanos(nanoTime.getAsLong() - hive.receivedAt());
    }

    Optional<HiveView> hive(String node) {
        return Optional.ofNullable(hives.get(node));
    }

    /** The hives that have workers of a model; empty if there is none. */
    Collection<ModelView> ofModel(String modelRef) {
        return byModel.getOrDefault(modelRef, NO_VIEWS).values();
    }

    /** The same on one node: at most one. */
    Collection<ModelView> ofModel(String modelRef, String node) {
        ModelView view = byModel.getOrDefault(modelRef, NO_VIEWS).get(node);
        return view == null ? List.of() : List.of(view);
    }

    private void put(HiveView hive) {
        String node = hive.snapshot().node();
        HiveView before = hives.put(node, hive);
        hive.models()
                .forEach((model, view) -> byModel.computeIfAbsent(model, unused -> new ConcurrentHashMap<>())
                        .put(node, view));
        Set<String> gone = before == null ? Set.of() : before.models().keySet();
        gone.stream().filter(model -> !hive.models().containsKey(model)).forEach(model -> remove(model, node));
    }

    private void remove(String model, String node) {
        Map<String, ModelView> views = byModel.get(model);
        views.remove(node);
        if (views.isEmpty()) {
            byModel.remove(model);
        }
    }
}
