package io.github.workerregistry.testing;

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

/** How a contract is run, and what it tells. */
@ExtendWith(UnexpectedWarnings.class)
class ContractTest {

    private static final HealthProbe WELL =
            (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy());

    @Test
    void verifyGivesWhatPassedAndWhatDidNotApply() {
        ContractReport report = new MinimalContract(WELL).verify();

        assertThat(report.passed())
                .contains("a worker that is well is found healthy")
                .doesNotContain("an answer that takes a moment counts");
        assertThat(report.notApplicable())
                .containsEntry("an answer that takes a moment counts", "the hook slow() gives nothing");
        assertThat(report.toString())
                .startsWith("6 passed, 0 failed, 9 not applicable\n")
                .contains("\nnot applicable: an answer that takes a moment counts: the hook slow() gives nothing");
    }

    @Test
    void verifyFailsOnceAndNamesEveryBrokenPromise() {
        MinimalContract contract = new MinimalContract((worker, timeout) -> null);

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(contract::verify)
                .withMessageContaining("the contract is broken: 0 passed, 6 failed, 9 not applicable")
                .withMessageContaining("\nfailed: the answer is given once: expected probe() to return a value")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(6));
    }

    @Test
    void aHookThatFailsFailsTheCheckAndTellsWhatWasThrown() {
        HealthProbeContract contract = new MinimalContract(WELL) {
            @Override
            protected WorkerInfo healthy(String id) {
                throw new IllegalStateException("no server");
            }
        };

        assertThat(contract.report().failed().get("the answer is given once")).hasMessage("no server");
        assertThat(contract.report().toString())
                .contains("failed: the answer is given once: java.lang.IllegalStateException: no server");
    }

    @Test
    void aCheckThatDoesNotApplySaysWhyToWhoeverRunsIt() throws Exception {
        List<String> reasons = new ArrayList<>();
        for (ContractCheck check : new MinimalContract(WELL).checks()) {
            check.run(reasons::add);
        }

        assertThat(reasons).hasSize(9).contains("the hook slow() gives nothing");
    }

    @Test
    void whatIsThrownUponTheReasonReachesTheTestFramework() {
        ContractCheck slow = new MinimalContract(WELL)
                .checks().stream()
                        .filter(check -> check.name().equals("an answer that takes a moment counts"))
                        .findFirst()
                        .orElseThrow();

        assertThatThrownBy(() -> slow.run(reason -> {
                    throw new UnsupportedOperationException("skipped: " + reason);
                }))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("skipped: the hook slow() gives nothing");
    }

    @Test
    void afterEveryCheckTheHooksAreToldToCleanUp() {
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
    void timePassesForRealUnlessAHookSaysOtherwise() {
        AtomicInteger asked = new AtomicInteger();
        Contract contract = new MinimalContract(WELL);

        assertThat(contract.comesTrue(() -> asked.incrementAndGet() == 3, Duration.ofMinutes(1)))
                .isTrue();
        assertThat(contract.comesTrue(() -> false, Duration.ofMillis(20))).isFalse();
        assertThat(asked).hasValue(3);
    }

    /** Fills the one hook that has to be filled. */
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
