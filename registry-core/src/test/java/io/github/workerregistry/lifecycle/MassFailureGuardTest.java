package io.github.workerregistry.lifecycle;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class MassFailureGuardTest {

    private static final HealthStatus UNHEALTHY = HealthStatus.unhealthy("no route to host");

    private final VirtualHive hive = new VirtualHive();
    private final List<String> ids = spawn(4);

    private List<String> spawn(int workers) {
        return Stream.generate(hive::spawnReady).limit(workers).toList();
    }

    @Test
    void workersThatFailTogetherAreSuspectedAndClearedWhenHealthy() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED);
        hive.probe.answerAll(UNHEALTHY);
        hive.advanceSeconds(110);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
        assertThat(ids).allSatisfy(id -> {
            assertThat(hive.state(id)).isEqualTo(new Idle());
            assertThat(hive.heard.historyOf(id)).containsOnlyOnce("Suspected");
        });
        assertThat(hive.registry.stats().suspected()).isEqualTo(4);
        hive.probe.answerAll(HealthStatus.healthy());
        hive.advanceSeconds(120);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
        assertThat(ids)
                .allSatisfy(id -> assertThat(hive.heard.historyOf(id)).endsWith("Suspected", "SuspicionCleared"));
    }

    @Test
    void suspectedWorkersAreStoppedAfterTheSuspicionTimeout() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED, Warnings.STOPPED + "UNHEALTHY, suspected for PT1M");
        UnexpectedWarnings.allow(Warnings.STOPPED + "UNHEALTHY"); // the last ones, which are no mass failure
        hive.probe.answerAll(UNHEALTHY);
        List<String> first = List.of();
        while (first.isEmpty()) {
            hive.advance(Duration.ofMillis(100));
            first = ids.stream()
                    .filter(id -> hive.heard.historyOf(id).contains("Suspected"))
                    .toList();
        }

        hive.advance(Duration.ofMillis(59_900));
        assertThat(hive.processes.running()).hasSize(4);
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).hasSize(4 - first.size()).doesNotContainAnyElementsOf(first);
        hive.advanceSeconds(60);
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void busySuspectedWorkersAreStoppedForHeartbeatsButNotForHealth() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED + " (HEARTBEAT_MISSED)", Warnings.STOPPED + "HEARTBEAT_MISSED");
        ids.forEach(hive::lease);
        hive.probe.answerAll(UNHEALTHY);
        ids.forEach(hive.registry::heartbeat);

        hive.advanceSeconds(74);
        assertThat(hive.processes.running()).hasSize(4);
        hive.advanceSeconds(2);

        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .hasSize(4)
                .containsOnly(Exit.Cause.HEARTBEAT_MISSED);
    }

    @Test
    void suspicionForTwoReasonsIsClearedWhenBothAreGone() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED + " (HEARTBEAT_MISSED)");
        VirtualHive hive = VirtualHive.with(config -> config.healthInterval(Duration.ofSeconds(10)));
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        hive.probe.answerAll(UNHEALTHY);
        ids.forEach(hive.registry::heartbeat);
        hive.advanceSeconds(40);
        for (int second = 0; second < 5; second++) {
            ids.forEach(hive.registry::heartbeat);
            hive.advanceSeconds(1);
        }
        assertThat(hive.heard.historyOf(ids.get(0))).contains("Suspected").doesNotContain("SuspicionCleared");

        hive.probe.answerAll(HealthStatus.healthy());
        for (int second = 0; second < 12; second++) {
            ids.forEach(hive.registry::heartbeat);
            hive.advanceSeconds(1);
        }

        assertThat(hive.heard.historyOf(ids.get(0)))
                .containsOnlyOnce("Suspected")
                .endsWith("SuspicionCleared");
    }

    @Test
    void anExitAlwaysCounts() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED, Warnings.CRASHED);
        hive.probe.answerAll(UNHEALTHY);
        hive.advanceSeconds(110);

        hive.processes.exit(ids.get(0), 1);

        assertThat(hive.isRemoved(ids.get(0))).isTrue();
    }

    /** Regression: the suspicion was kept by id, and the next worker was stopped for it. */
    @Test
    void aNewWorkerWithTheIdOfASuspectedOneIsNotSuspected() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED, Warnings.CRASHED, Warnings.STOPPED);
        hive.probe.answerAll(UNHEALTHY);
        hive.advanceSeconds(110);

        String id = ids.get(0);
        hive.processes.exit(id, 1);
        hive.spawnReady(id);
        hive.advanceSeconds(65);

        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void twoOfFourAreNoMassFailure() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "UNHEALTHY, 3");
        hive.probe.answer(ids.get(0), UNHEALTHY);
        hive.probe.answer(ids.get(1), UNHEALTHY);

        hive.advanceSeconds(110);

        assertThat(hive.processes.running()).containsExactly(ids.get(2), ids.get(3));
    }

    @Test
    void threeOfSixAreAMassFailureAndLoadingWorkersDoNotCount() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED, Warnings.NOT_READY);
        List<String> unhealthy = spawn(2);
        unhealthy.forEach(id -> hive.probe.answer(id, UNHEALTHY));
        hive.probe.answer(ids.get(0), UNHEALTHY);
        for (int i = 0; i < 5; i++) {
            hive.probe.answer(hive.supervisor.spawn(VirtualHive.SPEC).id(), UNHEALTHY);
        }

        hive.advanceSeconds(110);

        assertThat(hive.heard.historyOf(ids.get(0))).contains("Suspected");
        assertThat(hive.registry.stats().suspected()).isEqualTo(3);
        assertThat(hive.processes.running()).hasSize(11);
    }

    @Test
    void threeOfSevenAreNoMassFailure() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "UNHEALTHY, 3");
        List<String> more = spawn(3);
        more.forEach(id -> hive.probe.answer(id, UNHEALTHY));

        hive.advanceSeconds(110);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
    }

    /** Regression: each failed alone when it was evaluated, and all eight were killed. */
    @Test
    void withAThresholdOfOneWorkersThatFailTogetherAreSuspected() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED);
        // Longer than the default, at which the next probe comes before or after the end, as its jitter has it.
        VirtualHive hive =
                VirtualHive.with(config -> config.failureThreshold(1).suspicionTimeout(Duration.ofMinutes(5)));
        List<String> ids = Stream.generate(hive::spawnReady).limit(10).toList();
        ids.subList(0, 8).forEach(id -> hive.probe.answer(id, UNHEALTHY));

        hive.advanceSeconds(60);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
        assertThat(hive.registry.stats().suspected()).isEqualTo(8);
        hive.probe.answerAll(HealthStatus.healthy());
        hive.advanceSeconds(40);
        assertThat(ids.subList(0, 8))
                .allSatisfy(id -> assertThat(hive.heard.historyOf(id))
                        .containsOnlyOnce("Suspected")
                        .endsWith("SuspicionCleared"));
    }

    @Test
    void withAThresholdOfOneASingleFailureIsDecidedWhenMostOthersHavePassed() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "UNHEALTHY");
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1));
        List<String> others = Stream.generate(hive::spawnReady).limit(9).toList();
        String unhealthy = hive.spawnReady();
        hive.probe.answer(unhealthy, UNHEALTHY);
        Map<String, Integer> before;
        do { // in the step in which it fails, others may be asked before it and after it
            before = probesOf(others, hive);
            hive.advance(Duration.ofMillis(100));
        } while (hive.probe.probes(unhealthy) == 0);
        Map<String, Integer> after = probesOf(others, hive);

        while (askedSince(after, hive) < 6) { // with those that were not, it would be one of many
            assertThat(hive.isRemoved(unhealthy) && askedSince(before, hive) < 6)
                    .isFalse();
            hive.advance(Duration.ofMillis(100));
        }
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).containsExactlyElementsOf(others);
    }

    private static Map<String, Integer> probesOf(List<String> ids, VirtualHive hive) {
        return ids.stream().collect(toMap(id -> id, hive.probe::probes));
    }

    private static long askedSince(Map<String, Integer> then, VirtualHive hive) {
        return then.keySet().stream()
                .filter(id -> hive.probe.probes(id) > then.get(id))
                .count();
    }

    @Test
    void withAThresholdOfOneAFailureOfOneOfTwoIsDecidedAtOnce() {
        UnexpectedWarnings.expect("1 health checks failed in a row");
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1));
        String healthy = hive.spawnReady();
        String unhealthy = hive.spawnReady();
        hive.probe.answer(unhealthy, UNHEALTHY);

        while (hive.probe.probes(unhealthy) == 0) {
            assertThat(hive.isRemoved(unhealthy)).isFalse();
            hive.advance(Duration.ofMillis(100));
        }

        assertThat(hive.processes.running()).containsExactly(healthy);
    }

    /** Others whose probes never complete must not defer it without end. */
    @Test
    void theDecisionIsDeferredForAboutOneIntervalAtMost() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "UNHEALTHY", Warnings.NO_RESULT);
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1));
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        hive.probe.answerAll(HealthStatus.unknown("no idea"));
        hive.probe.answer(ids.get(0), UNHEALTHY);

        hive.advanceSeconds(33 + 33 + 5 + 1);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids.subList(1, 4));
    }

    @Test
    void aWorkerLeasedWhileItsDecisionIsDeferredIsNotStopped() {
        CompletableFuture<HealthStatus> ofOthers = new CompletableFuture<>();
        AtomicReference<String> unhealthy = new AtomicReference<>();
        AtomicInteger asked = new AtomicInteger();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> {
                    boolean first = worker.id().equals(unhealthy.get()) && asked.getAndIncrement() == 0;
                    return first ? CompletableFuture.completedFuture(UNHEALTHY) : ofOthers;
                })
                .lifecycle(VirtualHive.config()
                        .failureThreshold(1)
                        .healthTimeout(Duration.ofSeconds(30))
                        .build()));
        List<String> ids = Stream.generate(hive::spawnReady).limit(3).toList();
        unhealthy.set(ids.get(0));
        while (asked.get() == 0) {
            hive.advance(Duration.ofMillis(100));
        }
        hive.lease(ids.get(0)).close();
        ofOthers.complete(HealthStatus.healthy());

        hive.advanceSeconds(120);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
    }

    @Test
    void workersThatMissHeartbeatsTogetherAreSuspected() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED + " (HEARTBEAT_MISSED)", Warnings.STOPPED);
        for (int second = 0; second < 30; second++) {
            hive.registry.heartbeat(ids.get(second % 4));
            hive.advanceSeconds(1);
        }

        hive.advanceSeconds(40);
        assertThat(hive.processes.running()).hasSize(4);
        hive.registry.heartbeat(ids.get(0));
        hive.advanceSeconds(1);
        assertThat(hive.heard.historyOf(ids.get(0))).endsWith("Suspected", "SuspicionCleared");
        hive.advanceSeconds(40);

        assertThat(hive.processes.running())
                .as("stopped after the suspicion timeout")
                .isEmpty();
    }
}
