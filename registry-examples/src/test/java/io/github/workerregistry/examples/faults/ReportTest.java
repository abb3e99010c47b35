package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportTest {

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Remarks remarks = new Remarks();
    private final Report report = new Report();
    private final Bounds bounds = new Bounds(
            LifecycleConfig.defaults(),
            RestartPolicy.onFailure(),
            Duration.ofMillis(250),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));
    private final Ledger ledger = new Ledger(bounds, () -> 0, () -> 0, remarks);

    @Test
    void nonZeroCountMakesTheExitCode1() {
        report.none("processes left over", 0);
        assertThat(report.exitCode()).isZero();

        report.none("ports left over", 1);
        assertThat(report.exitCode()).isEqualTo(1);
        assertThat(report.text().lines().filter(line -> line.contains("off")))
                .hasSize(2)
                .first()
                .asString()
                .startsWith("ports left over")
                .endsWith("1   <-- off");
    }

    @Test
    void absentKindIsOffAndAMissedOneTooIfTheRunWasLongEnough() {
        ledger.passed(FaultKind.POOL_FULL, 0, ledger.unexplained());
        ledger.passed(FaultKind.PAUSE, 0, -1);
        report.faults(ledger, bounds, Deck.enough(), Optional.of("not root"));

        assertThat(line("common pool full  ")).doesNotContain("off");
        assertThat(line("SIGSTOP, then SIGCONT")).contains("off");
        assertThat(line("SIGKILL  ")).contains("off");
        assertThat(line("disk full")).isEqualTo("disk full: skipped, not root");
        assertThat(report.off()).isEqualTo(FaultKind.values().length - 2);
    }

    /** Regression: a run of four seconds failed because of a kind for which it was too short. */
    @Test
    void kindForWhichTheRunWasTooShortIsNotOff() {
        report.faults(ledger, bounds, 1, Optional.empty());

        assertThat(line("SIGKILL, common pool full"))
                .doesNotContain("off")
                .endsWith("did not come: of 23 faults that bring every kind, the run had 1");
        assertThat(line("stop  ")).doesNotContain("off").contains("did not come");
        assertThat(line("SIGKILL  ")).endsWith("<-- off"); // the first card
        assertThat(line("start, then ready")).endsWith("<-- off"); // always present in a run
    }

    @Test
    void missedFaultIsOffWhateverTheLengthOfTheRun() {
        ledger.passed(FaultKind.SLOW, 0, -1);
        report.faults(ledger, bounds, 1, Optional.empty());

        assertThat(line("health check slow")).endsWith("<-- off");
    }

    /** It is off if that is unlikely by chance at the rate of the whole run. */
    @Test
    void alwaysOvertakenKindIsOffIfUnlikelyByChance() {
        overtaken(FaultKind.HANG, 1);
        overtaken(FaultKind.MUTE, 8);
        for (int i = 0; i < 30; i++) {
            ledger.passed(FaultKind.POOL_FULL, 0, ledger.unexplained());
        }
        report.faults(ledger, bounds, 10 * Deck.enough(), Optional.empty()); // 9 of 39 are overtaken, about a quarter

        assertThat(line("SIGSTOP of an idle worker")).doesNotContain("off").endsWith("always overtaken");
        assertThat(line("heartbeats stop")).endsWith("always overtaken   <-- off");
    }

    private void overtaken(FaultKind kind, int times) {
        for (int i = 0; i < times; i++) {
            String id = kind + "-" + i;
            ledger.spawning(id, Purpose.BUSY);
            ledger.add(ledger.life(id), kind, id, 1, 0);
            ledger.close(id, ledger.life(id));
        }
    }

    @Test
    void leakedSlotIsOff() {
        registry.register(WorkerInfo.builder()
                .id("w")
                .url("http://127.0.0.1:9")
                .modelRef("m")
                .slotsTotal(3)
                .state(new Idle())
                .build());
        SlotCheck check = new SlotCheck(registry, remarks);
        assertThat(check.slotsOff()).isZero();

        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        assertThat(check.slotsOff()).isPositive();
        lease.close();
        assertThat(check.slotsOff()).isZero();
    }

    private String line(String begin) {
        return report.text()
                .lines()
                .filter(line -> line.startsWith(begin))
                .findFirst()
                .orElseThrow();
    }
}
