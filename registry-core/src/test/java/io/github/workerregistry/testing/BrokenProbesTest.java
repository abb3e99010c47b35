package io.github.workerregistry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A probe that breaks a promise fails the checks of that promise, by name, and every check can be failed. */
@ExtendWith(UnexpectedWarnings.class)
class BrokenProbesTest {

    /** What is broken, and the checks that see it. */
    private static final String SEEN = """
            no answer, ever
                a worker that is well is found healthy
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
                a worker that cannot be asked is not found healthy, and is no error
                a worker that answers nonsense is not found healthy, and is no error
                an answer that takes a moment counts
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                the answer is given once
                each probe has an answer of its own
                many workers can be probed at the same time
                the longest timeout is no error
            null for a stage
                a worker that is well is found healthy
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
                a worker that cannot be asked is not found healthy, and is no error
                a worker that answers nonsense is not found healthy, and is no error
                an answer that takes a moment counts
                a worker that keeps silent is found unhealthy in time, or can be given up
                a worker that keeps silent does not hold up the caller
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                the answer is given once
                each probe has an answer of its own
                many workers can be probed at the same time
                the shortest timeout is no error
                the longest timeout is no error
            a stage that completes with null
                a worker that is well is found healthy
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
                a worker that cannot be asked is not found healthy, and is no error
                a worker that answers nonsense is not found healthy, and is no error
                an answer that takes a moment counts
                a worker that keeps silent is found unhealthy in time, or can be given up
                a worker that keeps silent does not hold up the caller
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                the answer is given once
                each probe has an answer of its own
                many workers can be probed at the same time
                the shortest timeout is no error
                the longest timeout is no error
            a stage that fails
                a worker that is well is found healthy
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
                a worker that cannot be asked is not found healthy, and is no error
                a worker that answers nonsense is not found healthy, and is no error
                an answer that takes a moment counts
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                the answer is given once
                each probe has an answer of its own
                many workers can be probed at the same time
                the shortest timeout is no error
                the longest timeout is no error
            a stage that is no future
                a worker that is well is found healthy
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
                a worker that cannot be asked is not found healthy, and is no error
                a worker that answers nonsense is not found healthy, and is no error
                an answer that takes a moment counts
                a worker that keeps silent is found unhealthy in time, or can be given up
                a worker that keeps silent does not hold up the caller
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                the answer is given once
                each probe has an answer of its own
                many workers can be probed at the same time
                the shortest timeout is no error
                the longest timeout is no error
            an answer that is given twice
                the answer is given once
            everybody is well
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
                a worker that cannot be asked is not found healthy, and is no error
                a worker that answers nonsense is not found healthy, and is no error
                a worker that keeps silent is found unhealthy in time, or can be given up
                a worker that keeps silent does not hold up the caller
                a probe that is given up stays given up, and harms no other
            nobody is well
                a worker that is well is found healthy
                an answer that takes a moment counts
                a worker that keeps silent does not hold up the caller
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                each probe has an answer of its own
                many workers can be probed at the same time
                the longest timeout is no error
            no reason
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
            a worker that is ill is unknown
                a worker that says it is not well is found unhealthy, with a reason
                a worker that is not there is found unhealthy, with a reason
            an exception for a worker that is dead
                a worker that is not there is found unhealthy, with a reason
            an exception for a url that is none
                a worker that cannot be asked is not found healthy, and is no error
            a failure for an answer that is nonsense
                a worker that answers nonsense is not found healthy, and is no error
            unhealthy whoever does not answer at once
                an answer that takes a moment counts
                a worker that keeps silent does not hold up the caller
                a probe that is given up stays given up, and harms no other
            an exception for a short timeout
                the shortest timeout is no error
            an overflow for a long timeout
                a worker that keeps silent does not hold up the caller
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
                the longest timeout is no error
            one answer for all who wait
                an answer that takes a moment counts
                a worker that keeps silent is found unhealthy in time, or can be given up
                a worker that keeps silent does not hold up the caller
                a probe that is given up stays given up, and harms no other
            one probe at a time
                a worker that keeps silent does not delay the others
                a probe that is given up stays given up, and harms no other
            """;

    @Test
    void whatIsWholeFailsNoCheckAndEveryCheckApplies() {
        ContractReport report = new ScriptedProbeContract().verify();

        assertThat(report.failed()).isEmpty();
        assertThat(report.notApplicable()).isEmpty();
    }

    @Test
    void whatIsBrokenFailsTheChecksOfThatPromiseAndNoOther() {
        assertThat(Faults.seen(ProbeFaults.all())).isEqualTo(SEEN);
    }

    @Test
    void everyCheckIsFailedBySomethingThatIsBroken() {
        assertThat(SEEN.lines().filter(line -> line.startsWith(" ")).map(String::strip))
                .hasSameElementsAs(new ScriptedProbeContract()
                        .checks().stream().map(ContractCheck::name).toList());
    }

    @Test
    void aProbeThatBlocksIsNamedAndDoesNotHoldUpTheRun() {
        CountDownLatch never = new CountDownLatch(1);
        HealthProbeContract contract =
                new ScriptedProbeContract(whole -> (worker, timeout) -> {
                    var answer = whole.probe(worker, timeout);
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

        assertThat(failed.get("a worker that keeps silent does not hold up the caller"))
                .hasMessage("expected probe() to return at once, but it took more than PT2S");
    }
}
