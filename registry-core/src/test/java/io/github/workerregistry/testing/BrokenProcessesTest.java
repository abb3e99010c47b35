package io.github.workerregistry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A controller that breaks a promise fails the checks of that promise, by name, and every check can be failed. */
@ExtendWith(UnexpectedWarnings.class)
class BrokenProcessesTest {

    /** What is broken, and the checks that see it. */
    private static final String SEEN = """
            identities that change
                a process keeps its identity, also after its end
            identities that are all the same
                two processes have different identities
                many can be started at the same time
            a failed start with the wrong exception
                what cannot be started is named in the exception
            a failed start that makes the next one fail
                a failed start does not stand in the way of the next
                whoever runs now is no orphan
            a failed start that leaves a process behind
                a failed start leaves nothing behind
            a controller that reaps its own processes
                whoever runs now is no orphan
            variables that are dropped
                a variable of the spec reaches the process
                a variable of the spec replaces that of this JVM
                an excepted variable of this JVM does not reach the process
                if only some variables are inherited, others are not
            variables that replace nothing
                a variable of the spec replaces that of this JVM
                an excepted variable of this JVM does not reach the process
                if only some variables are inherited, others are not
            variables that are not inherited
                the variables of this JVM reach the process
                if only some variables are inherited, others are not
            variables that are inherited though they are excepted
                an excepted variable of this JVM does not reach the process
            variables that are inherited though others are the only ones
                if only some variables are inherited, others are not
            variables of which none is inherited if there are only ones
                if only some variables are inherited, others are not
            a directory that is always the same
                the process runs in the directory of the spec
                without a directory it runs in that of this JVM
            arguments that pass through a shell
                arguments are passed on as they are, through no shell
            notices that come too early
                a process runs when start returns
                the notice comes though nobody asks for the status
                the notice is given once to each receiver
                the notice is given also to whoever asks late
                a receiver of the notice that throws harms nobody
                nobody can forge the notice
                nobody can take the notice from others
                signals of many threads end a process once
                a released process still answers
            notices that never come
                the notice comes though nobody asks for the status
                the notice is given once to each receiver
                the notice is given also to whoever asks late
                a receiver of the notice may call back
                a receiver of the notice that throws harms nobody
                nobody can forge the notice
                nobody can take the notice from others
                signals of many threads end a process once
                a released process still answers
            notices that come twice
                the notice is given once to each receiver
                signals of many threads end a process once
            notices that fail
                the notice comes though nobody asks for the status
                the notice is given once to each receiver
                the notice is given also to whoever asks late
                a receiver of the notice may call back
                a receiver of the notice that throws harms nobody
                nobody can forge the notice
                nobody can take the notice from others
                signals of many threads end a process once
                a released process still answers
            notices that everybody shares
                nobody can forge the notice
                nobody can take the notice from others
            processes that do not answer while they give notice
                a receiver of the notice may call back
            exit codes that are lost
                an end by itself is unrequested and has its code
                an end by itself with code zero is unrequested too
                signals after the end change nothing
                what a process leaves behind is ended before its exit is given
            crashes that look like requests
                an end by itself is unrequested and has its code
                an end by itself with code zero is unrequested too
                signals after the end change nothing
                what a process leaves behind is ended before its exit is given
            requests that look like ends by themselves
                terminate ends a process, and the exit is requested
                signals of many threads end a process once
                terminate asks the child too
                a child that ignores terminate holds the exit back until kill
            a first answer that is another one than the next
                a receiver of the notice may call back
                many who ask at the same time get the same answer
                what a process leaves behind is ended before its exit is given
            signals that come late and count
                the exit status stays the same for ever
                signals after the end change nothing
            a kill that only asks
                kill ends a process, and the exit is requested
                a process that ignores terminate outlives it and dies of kill
                a child that ignores terminate holds the exit back until kill
                kill ends also what was started since terminate
            a terminate that kills
                a process that ignores terminate outlives it and dies of kill
                a child that ignores terminate holds the exit back until kill
            a terminate that does nothing
                terminate ends a process, and the exit is requested
                terminate asks the child too
            a kill that reaches only whoever was started last
                a process may be killed as soon as it is there
                to end one process leaves the others alone
                kill ends the child too
                what a process leaves behind is ended before its exit is given
                a child that ignores terminate holds the exit back until kill
                kill ends also what was started since terminate
            signals that hit everybody
                to end one process leaves the others alone
            a kill of the root alone
                kill ends the child too
                what a process leaves behind is ended before its exit is given
                a child that ignores terminate holds the exit back until kill
            a terminate of the root alone
                terminate asks the child too
                what a process leaves behind is ended before its exit is given
                a child that ignores terminate holds the exit back until kill
            a kill that forgets whoever came late
                kill ends also what was started since terminate
            exits that do not wait for the child
                terminate asks the child too
                kill ends the child too
                what a process leaves behind is ended before its exit is given
                a child that ignores terminate holds the exit back until kill
            output that nobody counts
                output is counted, and its end is given, oldest line first
                a long line is given, whole or cut
                processes do not see the output of others
                output can be read after the end
                a released process still answers
                the next process of a worker begins without output
            output that is counted and said not to be
                a process tells whether its output is recorded
            output that is said to be counted where there is none
                a process tells whether its output is recorded
            a count that begins anew after the end
                a released process still answers
            lines in the wrong order
                arguments are passed on as they are, through no shell
                output is counted, and its end is given, oldest line first
            long lines that are dropped
                a long line is given, whole or cut
            a line where there is none
                a process that prints nothing has no output
            output that goes with the process
                a variable of the spec reaches the process
                a variable of the spec replaces that of this JVM
                the variables of this JVM reach the process
                if only some variables are inherited, others are not
                the process runs in the directory of the spec
                without a directory it runs in that of this JVM
                arguments are passed on as they are, through no shell
                output can be read after the end
            a tail of no lines
                a tail of no lines is refused
            output of all in one
                processes do not see the output of others
            output of the last process of a worker
                the next process of a worker begins without output
            processes that are mute once they are released
                the exit status stays the same for ever
                a released process still answers
            a release that releases nothing
                release gives back what is not to be kept
            """;

    @Test
    void whatIsWholeFailsNoCheckAndEveryCheckApplies() {
        ContractReport report = new FakeMachineContract().verify();

        assertThat(report.failed()).isEmpty();
        assertThat(report.notApplicable()).isEmpty();
        assertThat(report.passed())
                .hasSameSizeAs(new FakeMachineContract().checks())
                .doesNotHaveDuplicates();
    }

    @Test
    void whatIsBrokenFailsTheChecksOfThatPromiseAndNoOther() {
        assertThat(Faults.seen(ProcessFaults.all())).isEqualTo(SEEN);
    }

    @Test
    void everyCheckIsFailedBySomethingThatIsBroken() {
        assertThat(SEEN.lines().filter(line -> line.startsWith(" ")).map(String::strip))
                .hasSameElementsAs(new FakeMachineContract()
                        .checks().stream().map(ContractCheck::name).toList());
    }

    @Test
    void aCallThatReturnsNullIsNamed() {
        ContractReport report = new FakeMachineContract(whole -> new ForwardingProcess(whole) {
                    @Override
                    public Optional<ExitStatus> exitStatus() {
                        return null;
                    }
                })
                .report();

        assertThat(report.failed().get("a process runs when start returns"))
                .hasMessage("expected exitStatus() to return a value, but it returned null");
    }

    @Test
    void aCallThatBlocksIsNamedAndDoesNotHoldUpTheRun() {
        CountDownLatch never = new CountDownLatch(1);
        FakeMachineContract contract =
                new FakeMachineContract(whole -> new ForwardingProcess(whole) {
                    @Override
                    public void terminate() {
                        super.terminate();
                        if (exitStatus().isEmpty()) {
                            Faults.await(never);
                        }
                    }
                }) {
                    @Override
                    protected Duration callLimit() {
                        return Duration.ofSeconds(2);
                    }
                };

        Map<String, Throwable> failed = contract.report().failed();

        assertThat(failed.get("a process that ignores terminate outlives it and dies of kill"))
                .hasMessage("expected terminate() to return at once, but it took more than PT2S");
    }
}
