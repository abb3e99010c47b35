package io.github.workerregistry;

import static io.github.workerregistry.SomeEvents.ids;
import static io.github.workerregistry.SomeEvents.kinds;
import static io.github.workerregistry.SomeEvents.registerMany;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerEvent.Overflowed;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A listener whose queue overflows. */
@ExtendWith(UnexpectedWarnings.class)
class ListenerOverflowTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).eventQueueCapacity(100).build();
    private final RecordingListener heard = new RecordingListener();

    private final ManualExecutor executor = new ManualExecutor();

    @Test
    void overflowedCountsTheLostEvents() {
        registry.subscribe(heard, executor);
        List<String> ids = registerMany(registry, "w", 103);
        executor.runAll();

        assertThat(heard.events()).hasSize(101).endsWith(new Overflowed(3));
        assertThat(ids(heard.events().subList(0, 100))).isEqualTo(ids.subList(0, 100));
    }

    @Test
    void fullQueueIsNoOverflow() {
        registry.subscribe(heard, executor);
        List<String> ids = registerMany(registry, "w", 100);
        executor.runAll();

        assertThat(ids(heard.events())).isEqualTo(ids);
    }

    @Test
    void eventsAreLostUntilTheQueueIsEmpty() {
        registry.subscribe(heard, executor);
        registerMany(registry, "w", 101);
        executor.runOne();
        assertThat(heard.events()).hasSizeBetween(1, 99);
        registry.register(loading("late"));
        executor.runAll();
        registry.register(loading("next"));
        executor.runAll();

        assertThat(heard.events()).hasSize(102);
        assertThat(heard.events().get(100)).isEqualTo(new Overflowed(2));
        assertThat(ids(heard.events())).endsWith("next").doesNotContain("late");
    }

    @Test
    void everyOverflowIsDelivered() {
        registry.subscribe(heard, executor);
        registerMany(registry, "a", 105);
        executor.runAll();
        registerMany(registry, "b", 107);
        executor.runAll();

        assertThat(heard.events())
                .filteredOn(Overflowed.class::isInstance)
                .containsExactly(new Overflowed(5), new Overflowed(7));
        assertThat(heard.events()).hasSize(202).endsWith(new Overflowed(7));
    }

    @Test
    void overflowDoesNotAffectOtherListeners() {
        RecordingListener other = new RecordingListener();
        registry.subscribe(heard, executor);
        registry.subscribe(other, Runnable::run);

        assertThat(registerMany(registry, "w", 150)).isEqualTo(ids(other.events()));
    }

    @Test
    void queueForOneEventRecoversFromItsOverflow() {
        WorkerRegistry tight = WorkerRegistry.builder().eventQueueCapacity(1).build();
        tight.subscribe(heard, executor);
        tight.register(loading("a"));
        tight.register(loading("b"));
        executor.runAll();
        tight.register(loading("c"));
        executor.runAll();

        assertThat(ids(heard.events())).containsExactly("a", new Overflowed(1).toString(), "c");
    }

    /** Regression: the second of two events was lost, such as RestartScheduled after Crashed. */
    @Test
    void queueForOneEventAcceptsBothEventsOfOneTransition() {
        WorkerRegistry tight = WorkerRegistry.builder().eventQueueCapacity(1).build();
        WorkerInfo idle = idle("idle", 1);
        tight.register(idle("crashes", 1));
        tight.register(idle("ends", 1));
        tight.register(idle);
        tight.subscribe(heard, executor);

        tight.updateState("crashes", backingOff(idle("crashes", 1)));
        executor.runAll();
        tight.supervision().remove(crash(idle("ends", 1)));
        executor.runAll();
        tight.updateState("idle", new WorkerState.Stopping(StopReason.IDLE_TIMEOUT));
        executor.runAll();

        assertThat(kinds(heard.events()))
                .containsExactly("Crashed", "RestartScheduled", "Crashed", "Removed", "IdleTimedOut", "StopStarted");
    }

    @Test
    void bothEventsOfATransitionAreLostOrNone() {
        WorkerRegistry tight = WorkerRegistry.builder().eventQueueCapacity(2).build();
        tight.register(idle("a", 1));
        tight.register(idle("b", 1));
        tight.subscribe(heard, executor);

        tight.register(idle("c", 1));
        tight.updateState("a", backingOff(idle("a", 1)));
        tight.updateState("b", backingOff(idle("b", 1)));
        executor.runAll();

        assertThat(kinds(heard.events())).containsExactly("Registered", "Crashed", "RestartScheduled", "Overflowed");
        assertThat(heard.events()).endsWith(new Overflowed(2));
    }
}
