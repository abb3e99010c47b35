package io.github.workerregistry.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Every faulty probe fails exactly the checks of its fault, and every check detects a fault. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyProbesTest {

    /** The faults, each with the checks that detect it. */
    private static final String DETECTED = """
            a stage that never completes
                a healthy worker is reported as healthy
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
                an invalid url is not reported as healthy and does not fail the probe
                an invalid answer is not reported as healthy and does not fail the probe
                a slow answer is reported
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                a probe completes only once
                two probes of one worker are independent
                many workers can be probed concurrently
                a timeout of 100 years is accepted
            null as the stage
                a healthy worker is reported as healthy
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
                an invalid url is not reported as healthy and does not fail the probe
                an invalid answer is not reported as healthy and does not fail the probe
                a slow answer is reported
                a probe without an answer completes as unhealthy at its timeout or can be cancelled
                a worker that does not answer does not block the caller
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                a probe completes only once
                two probes of one worker are independent
                many workers can be probed concurrently
                a timeout of 1 ns is accepted
                a timeout of 100 years is accepted
            a stage that completes with null
                a healthy worker is reported as healthy
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
                an invalid url is not reported as healthy and does not fail the probe
                an invalid answer is not reported as healthy and does not fail the probe
                a slow answer is reported
                a probe without an answer completes as unhealthy at its timeout or can be cancelled
                a worker that does not answer does not block the caller
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                a probe completes only once
                two probes of one worker are independent
                many workers can be probed concurrently
                a timeout of 1 ns is accepted
                a timeout of 100 years is accepted
            a stage that completes exceptionally
                a healthy worker is reported as healthy
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
                an invalid url is not reported as healthy and does not fail the probe
                an invalid answer is not reported as healthy and does not fail the probe
                a slow answer is reported
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                a probe completes only once
                two probes of one worker are independent
                many workers can be probed concurrently
                a timeout of 1 ns is accepted
                a timeout of 100 years is accepted
            a stage without toCompletableFuture
                a healthy worker is reported as healthy
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
                an invalid url is not reported as healthy and does not fail the probe
                an invalid answer is not reported as healthy and does not fail the probe
                a slow answer is reported
                a probe without an answer completes as unhealthy at its timeout or can be cancelled
                a worker that does not answer does not block the caller
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                a probe completes only once
                two probes of one worker are independent
                many workers can be probed concurrently
                a timeout of 1 ns is accepted
                a timeout of 100 years is accepted
            callbacks that run twice
                a probe completes only once
            every worker is reported as healthy
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
                an invalid url is not reported as healthy and does not fail the probe
                an invalid answer is not reported as healthy and does not fail the probe
                a probe without an answer completes as unhealthy at its timeout or can be cancelled
                a worker that does not answer does not block the caller
                cancelling a probe does not affect other probes
            every worker is reported as unhealthy
                a healthy worker is reported as healthy
                a slow answer is reported
                a worker that does not answer does not block the caller
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                two probes of one worker are independent
                many workers can be probed concurrently
                a timeout of 100 years is accepted
            a blank reason
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
            unhealthy workers are reported as unknown
                an unhealthy worker is reported as unhealthy, with a reason
                an exited worker is reported as unhealthy, with a reason
            an exception for an exited worker
                an exited worker is reported as unhealthy, with a reason
            an exception for an invalid url
                an invalid url is not reported as healthy and does not fail the probe
            exceptional completion for an invalid answer
                an invalid answer is not reported as healthy and does not fail the probe
            unhealthy without waiting for the answer
                a slow answer is reported
                a worker that does not answer does not block the caller
                cancelling a probe does not affect other probes
            an exception for a short timeout
                a timeout of 1 ns is accepted
            an arithmetic overflow for a long timeout
                a worker that does not answer does not block the caller
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
                a timeout of 100 years is accepted
            one future shared by all pending probes
                a slow answer is reported
                a probe without an answer completes as unhealthy at its timeout or can be cancelled
                a worker that does not answer does not block the caller
                cancelling a probe does not affect other probes
            one probe at a time
                a worker that does not answer does not delay other probes
                cancelling a probe does not affect other probes
            """;

    @Test
    void correctImplementationPassesEveryCheck() {
        ContractReport report = new ScriptedProbeContract().verify();

        assertThat(report.failed()).isEmpty();
        assertThat(report.notApplicable()).isEmpty();
    }

    @Test
    void eachFaultFailsExactlyItsChecks() {
        assertThat(Faults.detected(ProbeFaults.all())).isEqualTo(DETECTED);
    }

    @Test
    void everyCheckDetectsAFault() {
        assertThat(DETECTED.lines().filter(line -> line.startsWith(" ")).map(String::strip))
                .hasSameElementsAs(new ScriptedProbeContract()
                        .checks().stream().map(ContractCheck::name).toList());
    }

    @Test
    void blockingProbeFailsTheCheckWithoutBlockingTheRun() {
        CountDownLatch never = new CountDownLatch(1);
        HealthProbeContract contract =
                new ScriptedProbeContract(intact -> (worker, timeout) -> {
                    var answer = intact.probe(worker, timeout);
                    if (!answer.toCompletableFuture().isDone()) {
                        Faults.await(never);
                    }
                    return answer;
                }) {
                    @Override
                    protected Duration callLimit() {
                        return Duration.ofSeconds(2);
                    }
                };

        Map<String, Throwable> failed = contract.report().failed();

        assertThat(failed.get("a worker that does not answer does not block the caller"))
                .hasMessage("expected probe() to return immediately, but it did not return within PT2S");
    }
}
