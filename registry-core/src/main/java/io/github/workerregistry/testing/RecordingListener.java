package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerListener;
import java.util.ArrayList;
import java.util.List;

/**
 * A listener that keeps what it hears, for tests. Thread-safe.
 *
 * <pre>{@code
 * RecordingListener heard = new RecordingListener();
 * registry.subscribe(heard, Runnable::run);
 * }</pre>
 */
public final class RecordingListener implements WorkerListener {

    private final List<WorkerEvent> events = new ArrayList<>();

    /** A listener that has heard nothing. */
    public RecordingListener() {}

    @Override
    public synchronized void onEvent(WorkerEvent event) {
        events.add(requireNonNull(event, "event"));
    }

    /**
     * All that was heard.
     *
     * @return the events, in order
     */
    public synchronized List<WorkerEvent> events() {
        return List.copyOf(events);
    }

    /**
     * What was heard of one worker.
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
     * What was heard of one worker, as the events' simple names: {@code Registered}, {@code BecameReady}, ….
     *
     * @param workerId the worker
     * @return the names, in order
     */
    public List<String> historyOf(String workerId) {
        return eventsOf(workerId).stream()
                .map(event -> event.getClass().getSimpleName())
                .toList();
    }

    /** Forgets what was heard. */
    public synchronized void clear() {
        events.clear();
    }
}
