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
 * All hives and their workers, in memory, according to their snapshots.
 *
 * <p>Look-ups take no lock. Changes are synchronized and replace one immutable view of a hive by another.
 */
final class Fleet {

    /**
     * How long a ready call of a worker counts without a snapshot of its hive. A hive writes a snapshot within 200 ms
     * after a change, so a hive that has written none in this time does not know the worker.
     */
    static final Duration CONFIRMATION = Duration.ofSeconds(5);

    /** Maximum number of unconfirmed workers of one hive. More never become ready within 200 ms. */
    static final int MOST_UNCONFIRMED = 100;

    private static final ConcurrentMap<String, ModelView> NO_VIEWS = new ConcurrentHashMap<>();

    private final LongSupplier nanoTime;
    private final ConcurrentMap<String, HiveView> hives = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, ConcurrentMap<String, ModelView>> byModel = new ConcurrentHashMap<>();

    Fleet(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Applies a hive's snapshot if it is newer than the known one.
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

    /** Applies a hive's snapshot unconditionally. */
    synchronized void replace(HiveSnapshot snapshot) {
        put(HiveView.of(snapshot, nanoTime.getAsLong()));
    }

    /** Removes a hive and its workers. */
    synchronized void drop(String node) {
        HiveView known = hives.remove(node);
        if (known != null) {
            known.models().keySet().forEach(model -> remove(model, node));
        }
    }

    /** The result of a worker's ready call. */
    enum Ready {
        /** It becomes routable, until the next snapshot of its hive decides. */
        REGISTERED,
        /** It was routable already. */
        KNOWN,
        /** The hive does not exist. */
        NO_SUCH_NODE,
        /** Its hive lists it with another url or model. */
        ANOTHER,
        /** Its hive lists it as stopping or backing off. */
        NOT_LOADING,
        /** Its hive has too many unconfirmed workers already. */
        TOO_MANY
    }

    /**
     * Registers a worker by its ready call until the next snapshot of its hive, for at most {@link #CONFIRMATION}. If
     * the hive lists the worker, only its state is changed.
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

    /** Drops ready calls that no snapshot has confirmed in time. Called about once a second. */
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

    /** The age of the last snapshot of a hive. */
    Duration age(HiveView hive) {
        return Duration.ofNanos(nanoTime.getAsLong() - hive.receivedAt());
    }

    Optional<HiveView> hive(String node) {
        return Optional.ofNullable(hives.get(node));
    }

    /** The hives with workers of a model; may be empty. */
    Collection<ModelView> ofModel(String modelRef) {
        return byModel.getOrDefault(modelRef, NO_VIEWS).values();
    }

    /** The same for one node: at most one. */
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
        Set<String> removed = before == null ? Set.of() : before.models().keySet();
        removed.stream().filter(model -> !hive.models().containsKey(model)).forEach(model -> remove(model, node));
    }

    private void remove(String model, String node) {
        Map<String, ModelView> views = byModel.get(model);
        views.remove(node);
        if (views.isEmpty()) {
            byModel.remove(model);
        }
    }
}
