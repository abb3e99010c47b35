package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerEvent.BecameReady;
import io.github.workerregistry.WorkerEvent.Crashed;
import io.github.workerregistry.WorkerEvent.HealthCheckFailed;
import io.github.workerregistry.WorkerEvent.IdleTimedOut;
import io.github.workerregistry.WorkerEvent.Registered;
import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.WorkerEvent.RestartScheduled;
import io.github.workerregistry.WorkerEvent.Restarted;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The events of each step in a worker's life, and their order. */
@ExtendWith(UnexpectedWarnings.class)
class WorkerEventsTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).eventQueueCapacity(100).build();
    private final RecordingListener heard = new RecordingListener();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    @Test
    void eachTransitionDeliversItsEventsOnceAndInOrder() {
        registry.subscribe(heard, Runnable::run);
        List<WorkerEvent> expected = new ArrayList<>();

        registry.register(loading("w"));
        expected.add(new Registered(loading("w")));

        registry.updateState("w", IDLE);
        expected.add(new BecameReady(now("w")));

        registry.tryAcquireFrom("w");
        registry.list(); // a read records the work
        registry.incrementFailedHealthChecks("w");
        expected.add(new HealthCheckFailed(now("w")));
        assertThat(now("w").slotsInUse()).isEqualTo(1);
        assertThat(now("w").failedHealthChecks()).isEqualTo(1);

        BackingOff backingOff = backingOff(now("w"));
        registry.updateState("w", backingOff);
        expected.add(new Crashed(now("w"), backingOff.exit()));
        expected.add(new RestartScheduled(now("w"), backingOff.attempt(), backingOff.retryAt()));

        registry.updateState("w", LOADING);
        expected.add(new Restarted(now("w")));

        registry.updateState("w", IDLE);
        expected.add(new BecameReady(now("w")));

        registry.updateState("w", STOPPING);
        expected.add(new WorkerEvent.StopStarted(now("w"), StopReason.REQUESTED));

        WorkerInfo last = now("w");
        Exit exit = exit(last, Exit.Cause.REQUESTED, 143);
        registry.supervision().remove(exit);
        expected.add(new Removed(last, Exit.Cause.REQUESTED, Optional.of(exit)));

        assertThat(heard.events()).isEqualTo(expected);
    }

    @Test
    void idleTimedOutPrecedesStopStarted() {
        registry.register(idle("w", 1));
        registry.subscribe(heard, Runnable::run);
        registry.updateState("w", new WorkerState.Stopping(StopReason.IDLE_TIMEOUT));

        assertThat(heard.events())
                .containsExactly(
                        new IdleTimedOut(now("w")), new WorkerEvent.StopStarted(now("w"), StopReason.IDLE_TIMEOUT));
    }

    @Test
    void crashedPrecedesRemoved() {
        registry.register(idle("w", 1));
        registry.subscribe(heard, Runnable::run);
        Exit crash = crash(now("w"));
        registry.supervision().remove(crash);

        assertThat(heard.events())
                .containsExactly(
                        new Crashed(idle("w", 1), crash),
                        new Removed(idle("w", 1), Exit.Cause.CRASHED, Optional.of(crash)));
    }

    @Test
    void removalWhileBackingOffDoesNotRepeatCrashed() {
        registry.register(idle("w", 1));
        Exit crash = crash(now("w"));
        registry.updateState("w", backingOff(now("w")));
        registry.subscribe(heard, Runnable::run);
        registry.supervision().remove(crash);

        assertThat(heard.historyOf("w")).containsExactly("Removed");
    }

    @Test
    void crashedFollowsWhenAnUnhealthyWorkerHasExited() {
        registry.register(idle("w", 1));
        registry.subscribe(heard, Runnable::run);
        registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
        registry.updateState("w", backingOff(now("w")));

        assertThat(heard.historyOf("w")).containsExactly("StopStarted", "Crashed", "RestartScheduled");
    }

    @Test
    void suspectedAndSuspicionClearedAreDeliveredOnce() {
        registry.register(loading("w"));
        registry.subscribe(heard, Runnable::run);

        assertThat(registry.supervision().suspect(now("w").incarnation(), StopReason.UNHEALTHY))
                .isTrue();
        assertThat(registry.supervision().suspect(now("w").incarnation(), StopReason.HEARTBEAT_MISSED))
                .isFalse();
        assertThat(registry.supervision().clearSuspicion(now("w").incarnation()))
                .isTrue();
        assertThat(registry.supervision().clearSuspicion(now("w").incarnation()))
                .isFalse();

        assertThat(heard.events())
                .containsExactly(
                        new WorkerEvent.Suspected(
                                now("w").toBuilder().suspected(true).build(), StopReason.UNHEALTHY),
                        new WorkerEvent.SuspicionCleared(now("w")));
        assertThat(registry.stats().suspected()).isEqualTo(1);
    }

    @Test
    void restartedWorkerIsNotSuspected() {
        registry.register(loading("w"));
        registry.supervision().suspect(now("w").incarnation(), StopReason.UNHEALTHY);

        registry.updateState("w", SomeWorkers.backingOff(now("w")));
        assertThat(registry.supervision().suspect(now("w").incarnation(), StopReason.UNHEALTHY))
                .isFalse();
        registry.updateState("w", SomeWorkers.LOADING);

        assertThat(registry.supervision().suspect(now("w").incarnation(), StopReason.UNHEALTHY))
                .isTrue();
    }

    @Test
    void removedEventOfADeregisteredWorkerHasNoExit() {
        registry.register(idle("w", 2));
        registry.subscribe(heard, Runnable::run);
        registry.tryAcquireFrom("w");
        WorkerInfo last = now("w");
        registry.remove("w");

        assertThat(heard.events()).containsExactly(new Removed(last, Exit.Cause.DEREGISTERED, Optional.empty()));
    }

    @Test
    void clearDeliversRemovedForEachWorker() {
        registry.register(loading("b"));
        registry.register(loading("a"));
        registry.subscribe(heard, Runnable::run);
        registry.clear();

        assertThat(heard.events())
                .containsExactly(
                        new Removed(loading("b"), Exit.Cause.DEREGISTERED, Optional.empty()),
                        new Removed(loading("a"), Exit.Cause.DEREGISTERED, Optional.empty()));
    }

    @Test
    void leasesHeartbeatsAndRefusedTransitionsDeliverNoEvents() {
        registry.register(idle("w", 2));
        registry.subscribe(heard, Runnable::run);

        registry.tryAcquireFrom("w").orElseThrow().close();
        registry.heartbeat("w");
        registry.supervision().checkPassed(now("w").incarnation());
        registry.supervision().started(now("w").incarnation(), 4711);
        registry.updateState("w", BUSY);
        registry.updateState("w", IDLE);
        registry.supervision().transitionIfUnchanged(loading("w"), STOPPING);
        registry.supervision().checkFailed(loading("w"));
        registry.supervision().removeIfUnchanged(loading("w"), StopReason.REQUESTED);
        registry.supervision()
                .remove(crash(idle("w", 2).toBuilder().generation(2).build()));
        registry.remove("unknown");
        registry.list();

        assertThat(heard.events()).isEmpty();
    }
}
