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

    @Test
    void aCountThatMustBeNothingAndIsNotMakesTheExitCode1() {
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
    void aKindThatNeverHappenedIsOffAndAMissedOneToo() {
        Bounds bounds = new Bounds(
                LifecycleConfig.defaults(),
                RestartPolicy.onFailure(),
                Duration.ofMillis(250),
                Duration.ofSeconds(1),
                Duration.ofSeconds(1));
        Ledger ledger = new Ledger(bounds, () -> 0, () -> 0, remarks);
        ledger.passed(FaultKind.POOL_FULL, 0, ledger.unexplained());
        ledger.passed(FaultKind.PAUSE, 0, -1);
        report.faults(ledger, bounds, Optional.of("not root"));

        assertThat(line("common pool full  ")).doesNotContain("off");
        assertThat(line("SIGSTOP, then SIGCONT")).contains("off");
        assertThat(line("SIGKILL  ")).contains("off");
        assertThat(line("disk full")).isEqualTo("disk full: skipped, not root");
        assertThat(report.off()).isEqualTo(FaultKind.values().length - 2);
    }

    @Test
    void aSlotThatNobodyGaveBackIsOff() {
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
