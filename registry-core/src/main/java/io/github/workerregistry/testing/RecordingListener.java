package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerListener;
import java.util.ArrayList;
import java.util.List;

/**
 * A listener that records events, for tests. Thread-safe.
 *
 * <pre>{@code
 * RecordingListener recorded = new RecordingListener();
 * registry.subscribe(recorded, Runnable::run);
 * }</pre>
 *
 * @since 0.1
 */
public final class RecordingListener implements WorkerListener {

    private final List<WorkerEvent> events = new ArrayList<>();

    /** Creates a listener without events. */
    public RecordingListener() {}

    @Override
    public synchronized void onEvent(WorkerEvent event) {
        events.add(requireNonNull(event, "event"));
    }

    /**
     * All recorded events.
     *
     * @return the events, in order
     */
    public synchronized List<WorkerEvent> events() {
        return List.copyOf(events);
    }

    /**
     * The recorded events of one worker.
     *
     * @param workerId the worker
     * @return its events, in order
     */
    public List<WorkerEvent> eventsOf(String workerId) {
        requireNonNull(workerId, "workerId");
        return events().stream()
                .filter(event -> event instanceof WorkerEvent.OfWorker one
                        && one.worker().id().equals(workerId))
                .toList();
    }

    /**
     * The simple class names of the recorded events of one worker: {@code Registered}, {@code BecameReady}, ….
     *
     * @param workerId the worker
     * @return the names, in order
     */
    public List<String> historyOf(String workerId) {
        return eventsOf(workerId).stream()
                .map(event -> event.getClass().getSimpleName())
                .toList();
    }

    /** Removes all recorded events. */
    public synchronized void clear() {
        events.clear();
    }
}
