package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The stage of {@link WorkerSupervisor#whenReady}: when it completes, and with what. */
@ExtendWith(UnexpectedWarnings.class)
class WhenReadyTest {

    private static final Duration TICK = Duration.ofMillis(100);

    private final VirtualHive hive = VirtualHive.restarting();

    @Test
    void completesAtTheFirstPassedProbe() {
        List<CompletableFuture<HealthStatus>> answers = new ArrayList<>();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> {
            answers.add(new CompletableFuture<>());
            return answers.get(answers.size() - 1);
        }));
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();
        CompletableFuture<WorkerInfo> ready = hive.whenReady(id);
        hive.advanceSeconds(1);

        answers.get(0).complete(HealthStatus.healthy());

        assertThat(ready).isCompletedWithValue(hive.worker(id));
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void failsWithTheExitOfAWorkerThatExitsWhileItLoads() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnLoading();
        CompletableFuture<WorkerInfo> ready = hive.whenReady(id);
        hive.processes.print(id, "out of memory");

        hive.processes.exit(id, 1);

        assertThat(ready)
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isInstanceOfSatisfying(
                        WorkerEndedException.class,
                        ended -> assertThat(ended.exit().output()).containsExactly("out of memory"));
    }

    /** Regression: it was wrapped in a CompletionException, unlike every other stage. */
    @Test
    void dependentStagesReceiveTheExceptionUnwrapped() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnLoading();
        AtomicReference<Throwable> heard = new AtomicReference<>();
        var unused = hive.supervisor.whenReady(id).whenComplete((ready, failure) -> heard.set(failure));

        hive.processes.exit(id, 1);

        assertThat(heard.get()).isInstanceOf(WorkerEndedException.class);
    }

    @Test
    void completesAfterACallBackOrAStateSetByTheHive() {
        String byCallBack = hive.spawnLoading();
        CompletableFuture<WorkerInfo> ready = hive.whenReady(byCallBack);
        assertThat(ready).isNotDone();
        hive.supervisor.reportReady(byCallBack);
        assertThat(ready.join().state()).isEqualTo(new Idle());

        String byHost = hive.spawnLoading();
        CompletableFuture<WorkerInfo> reported = hive.whenReady(byHost);
        hive.registry.updateState(byHost, new Idle());
        hive.advance(TICK);
        assertThat(reported).isCompleted();
    }

    /** Regression: only the generation was compared, which is 1 for most workers. */
    @Test
    void failsIfTheRecordIsReplaced() {
        String id = hive.spawnLoading();
        CompletableFuture<WorkerInfo> ready = hive.whenReady(id);
        WorkerInfo own = hive.registry.remove(id).orElseThrow();
        hive.registry.register(WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef(own.modelRef())
                .startedAt(hive.time.instant())
                .build());

        assertThat(hive.supervisor.reportReady(id)).isTrue();

        assertThat(ready).isNotDone();
        hive.advance(TICK);
        assertThat(ready).isCompletedExceptionally();
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }
}
