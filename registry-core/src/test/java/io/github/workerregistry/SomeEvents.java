package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.loading;

import io.github.workerregistry.WorkerEvent.OfWorker;
import java.util.List;
import java.util.stream.IntStream;

/** Many workers to register, and what tests compare of the events. */
final class SomeEvents {

    private SomeEvents() {}

    /** Registers this many workers and returns their ids. */
    static List<String> registerMany(WorkerRegistry registry, String prefix, int count) {
        List<String> ids = IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
        ids.forEach(id -> registry.register(loading(id)));
        return ids;
    }

    /** The worker ids of events; an event without a worker as text. */
    static List<String> ids(List<WorkerEvent> events) {
        return events.stream()
                .map(event -> event instanceof OfWorker one ? one.worker().id() : event.toString())
                .toList();
    }

    /** The simple class names of events. */
    static List<String> kinds(List<WorkerEvent> events) {
        return events.stream().map(event -> event.getClass().getSimpleName()).toList();
    }
}
