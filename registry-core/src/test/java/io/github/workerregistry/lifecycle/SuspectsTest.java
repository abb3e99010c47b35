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
class SuspectsTest {

    private static final HealthStatus ILL = HealthStatus.unhealthy("no route to host");

    private final VirtualHive hive = new VirtualHive();
    private final List<String> ids = spawn(4);

    private List<String> spawn(int workers) {
        return Stream.generate(hive::spawnReady).limit(workers).toList();
    }

    @Test
    void manyThatFailTogetherAreKeptAsSuspectsAndClearedWhenTheyAreWell() {
        UnexpectedWarnings.expect("under suspicion");
        hive.probe.answerAll(ILL);
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
        assertThat(ids).allSatisfy(id -> assertThat(hive.heard.historyOf(id)).endsWith("Suspected", "Cleared"));
    }

    @Test
    void theyAreKeptForAMinuteAndNoLonger() {
        UnexpectedWarnings.expect("under suspicion", "is given up: UNHEALTHY, and under suspicion for PT1M");
        UnexpectedWarnings.allow("is given up after"); // the last ones, who are not many
        hive.probe.answerAll(ILL);
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
    void suspectsThatWorkAreGivenUpForTheirHeartbeatsButNotForTheirHealth() {
        UnexpectedWarnings.expect("under suspicion (HEARTBEAT_MISSED)", "is given up: HEARTBEAT_MISSED");
        ids.forEach(hive::lease);
        hive.probe.answerAll(ILL);
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
    void whoIsUnderSuspicionForTwoCausesIsClearedWhenBothHaveGone() {
        UnexpectedWarnings.expect("under suspicion (HEARTBEAT_MISSED)");
        VirtualHive hive = VirtualHive.with(config -> config.healthInterval(Duration.ofSeconds(10)));
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        hive.probe.answerAll(ILL);
        ids.forEach(hive.registry::heartbeat);
        hive.advanceSeconds(40);
        for (int second = 0; second < 5; second++) {
            ids.forEach(hive.registry::heartbeat);
            hive.advanceSeconds(1);
        }
        assertThat(hive.heard.historyOf(ids.get(0))).contains("Suspected").doesNotContain("Cleared");

        hive.probe.answerAll(HealthStatus.healthy());
        for (int second = 0; second < 12; second++) {
            ids.forEach(hive.registry::heartbeat);
            hive.advanceSeconds(1);
        }

        assertThat(hive.heard.historyOf(ids.get(0)))
                .containsOnlyOnce("Suspected")
                .endsWith("Cleared");
    }

    @Test
    void anExitThatWasSeenAlwaysCounts() {
        UnexpectedWarnings.expect("under suspicion", "is gone: CRASHED");
        hive.probe.answerAll(ILL);
        hive.advanceSeconds(110);

        hive.processes.exit(ids.get(0), 1);

        assertThat(hive.isGone(ids.get(0))).isTrue();
    }

    /** The suspicion was kept for the id: the successor was given up for what its predecessor had failed. */
    @Test
    void whoIsSpawnedUnderTheIdOfASuspectIsNoSuspect() {
        UnexpectedWarnings.expect("under suspicion", "is gone: CRASHED", "is given up");
        hive.probe.answerAll(ILL);
        hive.advanceSeconds(110);

        String id = ids.get(0);
        hive.processes.exit(id, 1);
        hive.spawnReady(id);
        hive.advanceSeconds(65);

        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void twoOfFourAreNotMany() {
        UnexpectedWarnings.expect("is given up after 3");
        hive.probe.answer(ids.get(0), ILL);
        hive.probe.answer(ids.get(1), ILL);

        hive.advanceSeconds(110);

        assertThat(hive.processes.running()).containsExactly(ids.get(2), ids.get(3));
    }

    @Test
    void threeOfSixAreManyAndThoseWhoLoadDoNotCount() {
        UnexpectedWarnings.expect("under suspicion", "is not ready after PT10S");
        List<String> ill = spawn(2);
        ill.forEach(id -> hive.probe.answer(id, ILL));
        hive.probe.answer(ids.get(0), ILL);
        for (int i = 0; i < 5; i++) {
            hive.probe.answer(hive.supervisor.spawn(VirtualHive.SPEC).id(), ILL);
        }

        hive.advanceSeconds(110);

        assertThat(hive.heard.historyOf(ids.get(0))).contains("Suspected");
        assertThat(hive.registry.stats().suspected()).isEqualTo(3);
        assertThat(hive.processes.running()).hasSize(11);
    }

    @Test
    void threeOfSevenAreLessThanHalf() {
        UnexpectedWarnings.expect("is given up after 3");
        List<String> more = spawn(3);
        more.forEach(id -> hive.probe.answer(id, ILL));

        hive.advanceSeconds(110);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
    }

    /** Each had failed alone when it was ended: all eight were killed. */
    @Test
    void withAThresholdOfOneManyThatFailTogetherAreKeptToo() {
        UnexpectedWarnings.expect("under suspicion");
        // Longer than the default, at which the next probe comes before or after the end, as its jitter has it.
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1).suspectLimit(Duration.ofMinutes(5)));
        List<String> ids = Stream.generate(hive::spawnReady).limit(10).toList();
        ids.subList(0, 8).forEach(id -> hive.probe.answer(id, ILL));

        hive.advanceSeconds(60);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
        assertThat(hive.registry.stats().suspected()).isEqualTo(8);
        hive.probe.answerAll(HealthStatus.healthy());
        hive.advanceSeconds(40);
        assertThat(ids.subList(0, 8))
                .allSatisfy(id -> assertThat(hive.heard.historyOf(id))
                        .containsOnlyOnce("Suspected")
                        .endsWith("Cleared"));
    }

    @Test
    void withAThresholdOfOneOneThatFailsAloneIsEndedWhenMostOthersHavePassed() {
        UnexpectedWarnings.expect("is given up after");
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1));
        List<String> others = Stream.generate(hive::spawnReady).limit(9).toList();
        String ill = hive.spawnReady();
        hive.probe.answer(ill, ILL);
        Map<String, Integer> before;
        do { // in the step in which it fails, others may be asked before it and after it
            before = probesOf(others, hive);
            hive.advance(Duration.ofMillis(100));
        } while (hive.probe.probes(ill) == 0);
        Map<String, Integer> after = probesOf(others, hive);

        while (askedSince(after, hive) < 6) { // with those that were not, it would be one of many
            assertThat(hive.isGone(ill) && askedSince(before, hive) < 6).isFalse();
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
    void withAThresholdOfOneOneOfTwoIsEndedAtOnce() {
        UnexpectedWarnings.expect("is given up after 1 failed health checks");
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1));
        String well = hive.spawnReady();
        String ill = hive.spawnReady();
        hive.probe.answer(ill, ILL);

        while (hive.probe.probes(ill) == 0) {
            assertThat(hive.isGone(ill)).isFalse();
            hive.advance(Duration.ofMillis(100));
        }

        assertThat(hive.processes.running()).containsExactly(well);
    }

    /** Others that never give an answer might keep it for ever. */
    @Test
    void theDecisionIsNotPutOffForMuchLongerThanAnInterval() {
        UnexpectedWarnings.expect("is given up after", "no verdict");
        VirtualHive hive = VirtualHive.with(config -> config.failureThreshold(1));
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        hive.probe.answerAll(HealthStatus.unknown("no idea"));
        hive.probe.answer(ids.get(0), ILL);

        hive.advanceSeconds(33 + 33 + 5 + 1);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids.subList(1, 4));
    }

    @Test
    void aWorkerThatFindsWorkWhileItsEndIsUndecidedLives() {
        CompletableFuture<HealthStatus> ofOthers = new CompletableFuture<>();
        AtomicReference<String> ill = new AtomicReference<>();
        AtomicInteger asked = new AtomicInteger();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> {
                    boolean first = worker.id().equals(ill.get()) && asked.getAndIncrement() == 0;
                    return first ? CompletableFuture.completedFuture(ILL) : ofOthers;
                })
                .config(VirtualHive.config()
                        .failureThreshold(1)
                        .healthTimeout(Duration.ofSeconds(30))
                        .build()));
        List<String> ids = Stream.generate(hive::spawnReady).limit(3).toList();
        ill.set(ids.get(0));
        while (asked.get() == 0) {
            hive.advance(Duration.ofMillis(100));
        }
        hive.lease(ids.get(0)).close();
        ofOthers.complete(HealthStatus.healthy());

        hive.advanceSeconds(120);

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids);
    }

    @Test
    void heartbeatsThatStopTogetherAreSuspectToo() {
        UnexpectedWarnings.expect("under suspicion (HEARTBEAT_MISSED)", "is given up");
        for (int second = 0; second < 30; second++) {
            hive.registry.heartbeat(ids.get(second % 4));
            hive.advanceSeconds(1);
        }

        hive.advanceSeconds(40);
        assertThat(hive.processes.running()).hasSize(4);
        hive.registry.heartbeat(ids.get(0));
        hive.advanceSeconds(1);
        assertThat(hive.heard.historyOf(ids.get(0))).endsWith("Suspected", "Cleared");
        hive.advanceSeconds(40);

        assertThat(hive.processes.running())
                .as("kept for a minute and no longer")
                .isEmpty();
    }
}
