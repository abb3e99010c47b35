package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.StressTasks.times;
import static io.github.workerregistry.StressTasks.until;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerEvent.BecameReady;
import io.github.workerregistry.WorkerEvent.Crashed;
import io.github.workerregistry.WorkerEvent.OfWorker;
import io.github.workerregistry.WorkerEvent.Registered;
import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.testing.RecordingListener;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Events of steps that many threads do. Bounded by counts, not by time. */
@ExtendWith(UnexpectedWarnings.class)
class WorkerEventsStressTest {

    private static final int THREADS = 4;

    private final ManyThreads threads = new ManyThreads();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().eventQueueCapacity(1_000_000).build();

    @AfterEach
    void endThreads() {
        threads.close();
    }

    /** The events, replayed, are the history: no event is lost, repeated or out of order. */
    @Test
    void eventsOfManyThreadsAreInOneOrder() throws Exception {
        RecordingListener heard = new RecordingListener();
        registry.subscribe(heard, Runnable::run);
        threads.results(THREADS, thread -> () -> {
            SplittableRandom random = new SplittableRandom(thread);
            for (int i = 0; i < 5_000; i++) {
                step("w" + random.nextInt(3), random.nextInt(6));
            }
            return null;
        });
        registry.clear();

        Map<String, Long> phases = new HashMap<>();
        for (WorkerEvent event : heard.events()) {
            WorkerInfo worker = ((OfWorker) event).worker();
            Long before = phases.get(worker.id());
            if (event instanceof Registered) {
                assertThat(before).as("%s", event).isNull();
            } else {
                assertThat(before).as("%s", event).isNotNull().isLessThanOrEqualTo(WorkerPhase.of(worker));
            }
            if (event instanceof Removed) {
                phases.remove(worker.id());
            } else {
                phases.put(worker.id(), WorkerPhase.of(worker));
            }
        }
        assertThat(phases).isEmpty();
        RegistryStats stats = registry.stats();
        assertThat(heard.events()).filteredOn(Registered.class::isInstance).hasSize((int) stats.registered());
        assertThat(heard.events()).filteredOn(BecameReady.class::isInstance).hasSize((int) stats.becameReady());
        assertThat(heard.events()).filteredOn(Crashed.class::isInstance).hasSize((int) stats.crashed());
        assertThat(heard.events()).filteredOn(Removed.class::isInstance).hasSize((int) stats.registered());
    }

    private void step(String id, int what) {
        try {
            switch (what) {
                case 0 -> registry.register(loading(id));
                case 1 -> registry.updateState(id, IDLE);
                case 2 -> registry.get(id).ifPresent(worker -> registry.updateState(id, backingOff(worker)));
                case 3 -> registry.updateState(id, LOADING);
                case 4 -> registry.updateState(id, STOPPING);
                default -> registry.remove(id);
            }
        } catch (IllegalTransitionException | DuplicateWorkerException anotherThreadWasFirst) {
            // expected in a race
        }
    }

    @Test
    void listenersSubscribeAndUnsubscribeUnderTraffic() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        RecordingListener steady = new RecordingListener();
        registry.subscribe(steady, Runnable::run);

        threads.together(
                times(3_000, done, () -> {
                    registry.register(loading("w"));
                    registry.remove("w");
                }),
                until(done, () -> registry.subscribe(event -> {}, Runnable::run).close()));

        assertThat(steady.events()).hasSize(6_000);
        assertThat(steady.events()).noneMatch(event -> event instanceof WorkerEvent.Overflowed);
    }
}
