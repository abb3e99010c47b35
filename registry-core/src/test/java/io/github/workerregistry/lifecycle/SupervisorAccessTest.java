package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.MachineClock;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a pool needs of its supervisor. */
@ExtendWith(UnexpectedWarnings.class)
class SupervisorAccessTest {

    private final AtomicInteger survived = new AtomicInteger();

    private CompletableFuture<Void> whenExited(VirtualHive hive, String id) {
        return hive.supervisor
                .access()
                .whenExited(id, survived::incrementAndGet)
                .toCompletableFuture();
    }

    @Test
    void rulesAndExecutorsAreThoseOfTheBuilder() {
        Executor blocking = Runnable::run;
        LifecycleConfig lifecycle =
                LifecycleConfig.builder().stopGrace(Duration.ofSeconds(7)).build();
        VirtualHive hive = new VirtualHive(builder ->
                builder.blockingExecutor(blocking).lifecycle(lifecycle).restartPolicy(RestartPolicy.never()));
        SupervisorAccess access = hive.supervisor.access();

        assertThat(access.scheduler()).isSameAs(hive.time);
        assertThat(access.blockingExecutor()).isSameAs(blocking);
        assertThat(access.lifecycle()).isEqualTo(lifecycle);
        assertThat(access.restartPolicy()).isEqualTo(RestartPolicy.never());
        assertThat(new VirtualHive().supervisor.access().blockingExecutor()).isInstanceOf(VirtualTime.class);
    }

    @Test
    void exitOfAnUnknownWorkerIsCompleteAtOnce() {
        assertThat(whenExited(new VirtualHive(), "none")).isCompleted();
    }

    @Test
    void exitIsAwaitedWithoutAStop() {
        VirtualHive hive = new VirtualHive();
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();
        CompletableFuture<Void> exited = whenExited(hive, id);
        hive.time.advance(Duration.ofMinutes(1));
        assertThat(exited).isNotDone();
        hive.processes.exit(id, 0);

        assertThat(exited).isCompleted();
        assertThat(survived).hasValue(0);
    }

    @Test
    void exitOfAnUnkillableProcessIsAwaited() {
        UnexpectedWarnings.expect("survived SIGKILL");
        VirtualHive hive = new VirtualHive();
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();
        hive.processes.ignoreKill(id);
        CompletableFuture<Void> exited = whenExited(hive, id);
        hive.supervisor.forceKill(id);
        hive.time.advance(Duration.ofMinutes(5));
        assertThat(survived).hasValue(1);
        assertThat(exited).isNotDone();
        CompletableFuture<Void> known = whenExited(hive, id);
        assertThat(survived).hasValue(2); // that is known
        hive.processes.exit(id, 0);
        hive.time.advance(Duration.ofSeconds(1));

        assertThat(exited).isCompleted();
        assertThat(known).isCompleted();
        assertThat(survived).hasValue(2);
    }

    @Test
    void exitOfAWorkerWithoutARecordIsAwaited() {
        VirtualHive hive = new VirtualHive();
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();
        CompletableFuture<Void> exited = whenExited(hive, id);
        hive.registry.remove(id);
        hive.time.advance(Duration.ofSeconds(1));

        assertThat(hive.processes.running()).isEmpty();
        assertThat(exited).isCompleted();
    }

    @Test
    void pausesAreNoActiveTime() {
        VirtualTime time = new VirtualTime();
        MachineClock clock = new MachineClock(time);
        WorkerRegistry registry = WorkerRegistry.builder().clock(clock).build();
        SupervisorAccess access = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .build()
                .access();
        Instant start = clock.instant();
        time.advance(Duration.ofSeconds(10));
        clock.suspend(Duration.ofHours(1));
        assertThat(access.activeTime(start, clock.instant())).isBetween(Duration.ofSeconds(9), Duration.ofSeconds(11));
        time.advance(Duration.ofSeconds(10));

        assertThat(access.activeTime(start, clock.instant())).isBetween(Duration.ofSeconds(19), Duration.ofSeconds(21));
        assertThat(access.activeTime(clock.instant(), start)).isZero();
    }
}
