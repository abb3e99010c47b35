package io.github.workerregistry.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Running a contract, and its report. */
@ExtendWith(UnexpectedWarnings.class)
class ContractTest {

    private static final HealthProbe HEALTHY =
            (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy());

    @Test
    void verifyReturnsPassedAndNotApplicableChecks() {
        ContractReport report = new MinimalContract(HEALTHY).verify();

        assertThat(report.passed())
                .contains("a healthy worker is reported as healthy")
                .doesNotContain("a slow answer is reported");
        assertThat(report.notApplicable()).containsEntry("a slow answer is reported", "the hook slow() returns empty");
        assertThat(report.toString())
                .startsWith("6 passed, 0 failed, 9 not applicable\n")
                .contains("\nnot applicable: a slow answer is reported: the hook slow() returns empty");
    }

    @Test
    void verifyFailsOnceAndNamesEveryFailedCheck() {
        MinimalContract contract = new MinimalContract((worker, timeout) -> null);

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(contract::verify)
                .withMessageContaining("contract violated: 0 passed, 6 failed, 9 not applicable")
                .withMessageContaining("\nfailed: a probe completes only once: expected probe() to return a value")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(6));
    }

    @Test
    void failingHookFailsTheCheckWithItsException() {
        HealthProbeContract contract = new MinimalContract(HEALTHY) {
            @Override
            protected WorkerInfo healthy(String id) {
                throw new IllegalStateException("no server");
            }
        };

        assertThat(contract.report().failed().get("a probe completes only once"))
                .hasMessage("no server");
        assertThat(contract.report().toString())
                .contains("failed: a probe completes only once: java.lang.IllegalStateException: no server");
    }

    @Test
    void notApplicableCheckReportsTheReason() throws Exception {
        List<String> reasons = new ArrayList<>();
        for (ContractCheck check : new MinimalContract(HEALTHY).checks()) {
            check.run(reasons::add);
        }

        assertThat(reasons).hasSize(9).contains("the hook slow() returns empty");
    }

    @Test
    void exceptionOfTheReasonCallbackPropagates() {
        ContractCheck slow = new MinimalContract(HEALTHY)
                .checks().stream()
                        .filter(check -> check.name().equals("a slow answer is reported"))
                        .findFirst()
                        .orElseThrow();

        assertThatThrownBy(() -> slow.run(reason -> {
                    throw new UnsupportedOperationException("skipped: " + reason);
                }))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("skipped: the hook slow() returns empty");
    }

    @Test
    void afterCheckIsCalledAfterEveryCheck() {
        AtomicInteger cleanUps = new AtomicInteger();
        HealthProbeContract contract = new MinimalContract((worker, timeout) -> null) {
            @Override
            protected void afterCheck() {
                cleanUps.incrementAndGet();
            }
        };

        contract.report();

        assertThat(cleanUps).hasValue(contract.checks().size());
    }

    @Test
    void comesTrueWaitsInRealTimeByDefault() {
        AtomicInteger tests = new AtomicInteger();
        Contract contract = new MinimalContract(HEALTHY);

        assertThat(contract.awaitTrue(() -> tests.incrementAndGet() == 3, Duration.ofMinutes(1)))
                .isTrue();
        assertThat(contract.awaitTrue(() -> false, Duration.ofMillis(20))).isFalse();
        assertThat(tests).hasValue(3);
    }

    /** Implements only the mandatory hooks. */
    private static class MinimalContract extends HealthProbeContract {
        private final HealthProbe probe;

        MinimalContract(HealthProbe probe) {
            this.probe = probe;
        }

        @Override
        protected HealthProbe probe() {
            return probe;
        }

        @Override
        protected WorkerInfo healthy(String id) {
            return worker(id, "http://worker");
        }
    }
}
