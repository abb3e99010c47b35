package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is said of loads that take long. */
@ExtendWith(UnexpectedWarnings.class)
class SlowLoadTest {

    private static final String NO_PROBE = "no health probe is set: only ready(id) makes it ready";

    @RegisterExtension
    final LoggedLines lines = new LoggedLines();

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    private final FakeProcessController processes = new FakeProcessController();

    @BeforeEach
    void everyWarningIsComparedHere() {
        UnexpectedWarnings.allow("is not ready after", "is given up", "is gone");
    }

    private List<String> warnings() {
        return lines.said(Level.WARN);
    }

    private static String notReady(String id, String why) {
        return "worker " + id + " is not ready after PT10S: " + why;
    }

    /** A hive without a probe. */
    private WorkerSupervisor supervisor() {
        return WorkerSupervisor.builder(registry, time)
                .processes(processes)
                .restart(RestartPolicy.never())
                .config(VirtualHive.config().loadStall(Duration.ofHours(1)).build())
                .build();
    }

    @Test
    void loadOfMoreThanTenSecondsIsWarnedOfOnceWithTheLastAnswer() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        hive.advanceSeconds(5);
        hive.probe.answer(id, HealthStatus.unhealthy("status 404"));

        hive.advance(Duration.ofMillis(9_900 - 5_000));
        assertThat(warnings()).isEmpty();
        hive.advance(Duration.ofSeconds(60));

        assertThat(warnings()).containsExactly(notReady(id, "its last health check said: status 404"));
    }

    @Test
    void loadThatIsOverInTimeIsNotWarnedOf() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        hive.advanceSeconds(9);
        hive.probe.answer(id, HealthStatus.healthy());

        hive.advance(Duration.ofMinutes(5));

        assertThat(warnings()).isEmpty();
    }

    @Test
    void eachGenerationIsWarnedOfOnce() {
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnLoading();
        hive.advanceSeconds(30);
        hive.processes.exit(id, 1);

        hive.advanceSeconds(30);

        String warning = notReady(id, "its last health check said: loading");
        assertThat(warnings()).filteredOn(line -> line.contains("not ready")).containsExactly(warning, warning);
    }

    @Test
    void probeThatHangsIsNamed() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        hive.probe.hang(id);

        hive.advanceSeconds(11);

        assertThat(warnings()).containsExactly(notReady(id, "its last health check said: no answer within PT5S"));
    }

    @Test
    void probeThatHasAnsweredNothingYetIsNamed() {
        VirtualHive hive = VirtualHive.with(config -> config.healthTimeout(Duration.ofSeconds(30)));
        String id = hive.spawnLoading();
        hive.probe.hang(id);

        hive.advanceSeconds(11);

        assertThat(warnings()).containsExactly(notReady(id, "no health check has been answered"));
    }

    @Test
    void workerThatTheHiveRegisteredItselfIsWarnedOfToo() {
        VirtualHive hive = new VirtualHive();
        hive.probe.answerAll(HealthStatus.unhealthy("status 404"));
        hive.registry.register(WorkerInfo.builder()
                .id("hive's")
                .url("http://elsewhere")
                .modelRef("m")
                .state(new Loading(hive.time.instant()))
                .startedAt(hive.time.instant())
                .build());

        hive.advance(Duration.ofMinutes(1));

        assertThat(warnings()).containsExactly(notReady("hive's", "its last health check said: status 404"));
    }

    @Test
    void loadThatIsGivenUpIsToldWithTheLastAnswer() {
        VirtualHive hive = VirtualHive.with(config -> config.loadStall(Duration.ofSeconds(3)));
        String id = hive.spawnLoading();

        hive.advanceSeconds(5);

        assertThat(warnings())
                .containsExactly("worker " + id
                        + " is given up: its load made no progress for PT3S; its last health check said: loading");
    }

    /** Such workers would load for ever, and nothing said why. */
    @Test
    void firstSlowLoadInAHiveWithNeitherProbeNorCallBackIsWarnedOf() {
        WorkerSupervisor supervisor = supervisor();
        String first = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofSeconds(1));
        supervisor.spawn(VirtualHive.SPEC);

        time.advance(Duration.ofMinutes(1));
        supervisor.spawn(VirtualHive.SPEC);
        time.advance(Duration.ofMinutes(1));

        assertThat(warnings()).containsExactly(notReady(first, NO_PROBE));
    }

    @Test
    void hiveWhoseWorkersCallBackIsNotWarned() {
        WorkerSupervisor supervisor = supervisor();
        String first = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofSeconds(9));
        supervisor.ready(first);

        supervisor.spawn(VirtualHive.SPEC);
        time.advance(Duration.ofMinutes(1));

        assertThat(warnings()).isEmpty();
    }

    /** A call-back for nobody makes nobody ready. */
    @Test
    void callBackForAnUnknownWorkerIsNoSignThatCallBacksCome() {
        WorkerSupervisor supervisor = supervisor();
        assertThat(supervisor.ready("nobody")).isFalse();
        String id = supervisor.spawn(VirtualHive.SPEC).id();

        time.advance(Duration.ofSeconds(11));

        assertThat(warnings()).containsExactly(notReady(id, NO_PROBE));
    }

    @Test
    void callBackThatIsMissingIsNamedWhenTheLoadIsGivenUp() {
        WorkerSupervisor supervisor = supervisor();
        supervisor.ready(supervisor.spawn(VirtualHive.SPEC).id());
        String id = supervisor.spawn(VirtualHive.SPEC).id();

        time.advance(Duration.ofMinutes(61));

        assertThat(warnings())
                .containsExactly(
                        "worker " + id + " is given up: its load made no progress for PT1H; it has not called back");
    }
}
