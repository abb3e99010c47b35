package io.github.workerregistry;

import static io.github.workerregistry.Refusals.assertRefused;
import static io.github.workerregistry.Refusals.spec;
import static io.github.workerregistry.SomeWorkers.START;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A refused call changes nothing in a registry or a supervisor. */
@ExtendWith(UnexpectedWarnings.class)
class RefusedCallsTest {

    private static final Duration LONG = Duration.ofSeconds(1_000_000_000_000L);
    private static final WorkerInfo WORKER = SomeWorkers.idle("w", 2);

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
            .processController(processes)
            .build();

    @Test
    void refusedCallsDoNotChangeARegistry() {
        registry.register(WORKER);
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        Supervision supervision = registry.supervision();
        List<WorkerInfo> workers = registry.list();
        RegistryStats stats = registry.stats();

        assertThatThrownBy(() -> registry.register(WORKER)).isInstanceOf(DuplicateWorkerException.class);
        assertRefused(() -> supervision.started(WORKER.incarnation(), 0), "pid", "0");
        assertRefused(
                () -> supervision.started(WORKER.incarnation(), Long.MIN_VALUE), "pid", String.valueOf(Long.MIN_VALUE));
        SlotRequest request = SlotRequest.forModel("m");
        Duration negative = Duration.ofNanos(-1);
        assertRefused(() -> registry.acquire("m", negative), "timeout", "PT-0.000000001S");
        assertRefused(() -> registry.acquire(request, negative), "timeout", "PT-0.000000001S");
        assertRefused(() -> registry.acquireAsync(request, negative, Runnable::run), "timeout", "PT-0.000000001S");
        assertRefused(
                () -> registry.withSlot(request, negative, Runnable::run, slot -> CompletableFuture.completedStage(1)),
                "timeout",
                "PT-0.000000001S");
        for (WorkerState next : List.of(SomeWorkers.IDLE, SomeWorkers.BUSY, SomeWorkers.LOADING)) {
            assertThatThrownBy(() -> registry.updateState("w", next))
                    .isInstanceOf(IllegalTransitionException.class)
                    .hasMessageContainingAll("w", "busy", next.label());
        }
        for (String unknown : List.of("", " ", "unknown", "a\nb", "x".repeat(1_000))) {
            assertThat(registry.get(unknown)).isEmpty();
            assertThat(registry.updateState(unknown, SomeWorkers.IDLE)).isEmpty();
            assertThat(registry.remove(unknown)).isEmpty();
            assertThat(registry.incrementFailedHealthChecks(unknown)).isEmpty();
            assertThat(registry.heartbeat(unknown)).isFalse();
            assertThat(registry.list(unknown)).isEmpty();
            assertThat(registry.findIdleWorker(unknown)).isEmpty();
            assertThat(registry.findByNodeAndModel("local", unknown)).isEmpty();
            assertThat(registry.tryAcquire(unknown)).isEmpty();
            assertThat(registry.tryAcquire(SlotRequest.forModel(unknown))).isEmpty();
            assertThat(registry.tryAcquireFrom(unknown)).isEmpty();
            assertThat(registry.waiting(unknown)).isZero();
        }
        Stream.of(
                        new Incarnation("unknown", 1, START),
                        new Incarnation("w", 2, START),
                        new Incarnation("w", 1, START.plusNanos(1)))
                .forEach(other -> {
                    assertThat(supervision.started(other, 1)).isEmpty();
                    assertThat(supervision.transition(other, SomeWorkers.STOPPING))
                            .isEmpty();
                    assertThat(supervision.remove(exit(other, "m"))).isEmpty();
                    assertThat(supervision.holdLeasing(other)).isFalse();
                    assertThat(supervision.beginLeasing(other)).isFalse();
                    assertThat(supervision.endLeasing(other)).isFalse();
                    assertThat(supervision.checkPassed(other)).isFalse();
                    assertThat(supervision.checkUnknown(other)).isFalse();
                    assertThat(supervision.suspect(other, StopReason.UNHEALTHY)).isFalse();
                    assertThat(supervision.clearSuspicion(other)).isFalse();
                });

        assertThat(lease.isValid()).isTrue();
        assertThat(registry.list()).isEqualTo(workers);
        assertThat(registry.stats()).isEqualTo(stats);
    }

    @Test
    void refusedCallsDoNotChangeASupervisor() {
        supervisor.spawn(spec().id("w").build());
        List<WorkerInfo> workers = registry.list();

        assertThatThrownBy(() -> supervisor.spawn(spec().id("w").build())).isInstanceOf(DuplicateWorkerException.class);
        assertRefused(
                () -> supervisor.spawn(
                        spec().url("http://{a}").parameter("a", "x".repeat(257)).build()),
                "url");
        assertRefused(
                () -> supervisor.spawn(
                        spec().url("http://{a}").parameter("a", "b\nc").build()),
                "url",
                "U+000A");
        assertRefused(
                () -> supervisor.spawn(spec().command("{a}").parameter("a", " ").build()), "command");
        assertRefused(() -> supervisor.shutdown(LONG), "deadline", LONG.toString());
        assertRefused(() -> supervisor.replace("w", spec().modelRef("other").build()), "modelRef", "other");
        assertRefused(
                () -> supervisor.replaceInPlace("w", spec().modelRef("other").build()), "modelRef", "other");
        assertRefused(() -> supervisor.replaceInPlace("w", spec().id("other").build()), "id", "other");
        for (String unknown : List.of("", "unknown", "a\nb")) {
            assertThat(supervisor.reportReady(unknown)).isFalse();
            assertThat(supervisor.reportProgress(unknown)).isFalse();
            Stream.of(
                            supervisor.stop(unknown),
                            supervisor.forceKill(unknown),
                            supervisor.restart(unknown),
                            supervisor.replace(unknown, spec().build()),
                            supervisor.replaceInPlace(unknown, spec().build()),
                            supervisor.whenReady(unknown))
                    .forEach(stage -> assertThat(stage.toCompletableFuture()).isCompletedExceptionally());
        }

        assertThat(registry.list()).isEqualTo(workers);
        assertThat(supervisor.recentExits()).isEmpty();
        assertThat(processes.running()).containsExactly("w");
        assertThat(processes.starts()).isEqualTo(1);
        supervisor.spawn(spec().id("v").build()); // the refused shutdown has not begun
    }

    private static Exit exit(Incarnation incarnation, String modelRef) {
        return new Exit(incarnation, modelRef, Exit.Cause.CRASHED, ExitStatus.unrequested(1), List.of(), START);
    }
}
