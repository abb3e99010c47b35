package io.github.workerregistry;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The affinity keys in the {@link RegistryModel}: the incarnation that served each of them last. */
final class ModelledAffinities {

    private record Key(String modelRef, String key) {}

    private record Served(ModelledWorker worker, Incarnation incarnation) {}

    private final Map<Key, Served> served = new HashMap<>();

    private static Key key(SlotRequest request) {
        return new Key(request.modelRef(), request.affinity().orElseThrow());
    }

    void served(SlotRequest request, ModelledWorker worker) {
        if (request.affinity().isPresent()) {
            served.put(key(request), new Served(worker, worker.incarnation()));
        }
    }

    /**
     * The workers that may serve a request with a key: the one that served it last, if it is not much more loaded than
     * others, else the least loaded.
     *
     * @param free the workers that match and have a free slot
     * @param qualified the workers that match and whose slots are leased
     */
    List<ModelledWorker> preferred(SlotRequest request, List<ModelledWorker> free, List<ModelledWorker> qualified) {
        Served last = served.get(key(request));
        int min = qualified.stream().mapToInt(worker -> worker.inUse).min().orElse(0);
        if (last != null
                && free.contains(last.worker)
                && last.incarnation.equals(last.worker.incarnation())
                && last.worker.inUse <= min + 2
                && last.worker.inUse <= 1.5 * min + 1) {
            return List.of(last.worker);
        }
        int least = free.stream().mapToInt(worker -> worker.inUse).min().orElse(0);
        return free.stream().filter(worker -> worker.inUse == least).toList();
    }
}
