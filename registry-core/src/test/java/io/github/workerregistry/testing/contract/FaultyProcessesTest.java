package io.github.workerregistry.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Every faulty controller fails exactly the checks of its fault, and every check detects a fault. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyProcessesTest {

    /** The faults, each with the checks that detect it. */
    private static final String DETECTED = """
            an identity that changes
                the identity of a process does not change, even after its exit
            the same identity for all processes
                two processes have different identities
                many processes can be started concurrently
            a failed start with the wrong exception
                a failed start throws a SpawnException that names the command
            a failed start that makes the next one fail
                a failed start does not affect the next start
                a running process of this controller is not reaped as an orphan
            a failed start that leaves a running process
                a failed start leaves no resources behind
            a controller that reaps its own processes
                a running process of this controller is not reaped as an orphan
            environment variables of the spec are dropped
                an environment variable of the spec is passed to the process
                an environment variable of the spec overrides the inherited one
                an excluded environment variable is not inherited
                if some environment variables are listed, only those are inherited
            inherited environment variables override those of the spec
                an environment variable of the spec overrides the inherited one
                an excluded environment variable is not inherited
                if some environment variables are listed, only those are inherited
            no environment variable is inherited
                environment variables of this JVM are inherited
                if some environment variables are listed, only those are inherited
            excluded environment variables are inherited
                an excluded environment variable is not inherited
            environment variables that are not listed are inherited
                if some environment variables are listed, only those are inherited
            listed environment variables are not inherited
                if some environment variables are listed, only those are inherited
            the same working directory for all processes
                the working directory is that of the spec
                without a directory in the spec, the working directory is that of this JVM
            arguments are passed through a shell
                arguments are passed unchanged, without a shell
            onExit completes before the exit
                a process is running when start returns
                onExit completes without a call of exitStatus
                onExit runs each callback once
                onExit is already complete after the exit
                a callback of onExit that throws does not affect the others
                callers cannot complete onExit
                callers cannot cancel onExit for others
                concurrent signals cause only one exit
                the methods of a released process still return
            onExit never completes
                onExit completes without a call of exitStatus
                onExit runs each callback once
                onExit is already complete after the exit
                a callback of onExit may call the process
                a callback of onExit that throws does not affect the others
                callers cannot complete onExit
                callers cannot cancel onExit for others
                concurrent signals cause only one exit
                the methods of a released process still return
            onExit runs each callback twice
                onExit runs each callback once
                concurrent signals cause only one exit
            onExit completes exceptionally
                onExit completes without a call of exitStatus
                onExit runs each callback once
                onExit is already complete after the exit
                a callback of onExit may call the process
                a callback of onExit that throws does not affect the others
                callers cannot complete onExit
                callers cannot cancel onExit for others
                concurrent signals cause only one exit
                the methods of a released process still return
            one future of onExit for all callers
                callers cannot complete onExit
                callers cannot cancel onExit for others
            no exit status during the callbacks of onExit
                a callback of onExit may call the process
            exit codes are lost
                an exit without a signal is unrequested and has the exit code
                an exit without a signal is unrequested even with code 0
                signals after the exit have no effect
                a child that is left running is killed before the exit is reported
            crashes are reported as requested
                an exit without a signal is unrequested and has the exit code
                an exit without a signal is unrequested even with code 0
                signals after the exit have no effect
                a child that is left running is killed before the exit is reported
            requested exits are reported as unrequested
                terminate ends the process, and the exit is requested
                concurrent signals cause only one exit
                terminate also terminates the child
                a child that ignores terminate delays the exit until kill
            the first exit status differs from later ones
                a callback of onExit may call the process
                concurrent calls of exitStatus return the same status
                a child that is left running is killed before the exit is reported
            a signal after the exit changes the exit status
                the exit status does not change
                signals after the exit have no effect
            kill that only terminates
                kill ends the process, and the exit is requested
                a process that ignores terminate runs until kill
                a child that ignores terminate delays the exit until kill
                kill also kills a child that was started after terminate
            terminate that kills
                a process that ignores terminate runs until kill
                a child that ignores terminate delays the exit until kill
            terminate that does nothing
                terminate ends the process, and the exit is requested
                terminate also terminates the child
            kill that works only for the process started last
                a process can be killed immediately after its start
                killing a process does not affect the others
                kill also kills the child
                a child that is left running is killed before the exit is reported
                a child that ignores terminate delays the exit until kill
                kill also kills a child that was started after terminate
            kill that kills all processes
                killing a process does not affect the others
            kill without the child
                kill also kills the child
                a child that is left running is killed before the exit is reported
                a child that ignores terminate delays the exit until kill
            terminate without the child
                terminate also terminates the child
                a child that is left running is killed before the exit is reported
                a child that ignores terminate delays the exit until kill
            kill without children started after terminate
                kill also kills a child that was started after terminate
            an exit that is reported before that of the child
                terminate also terminates the child
                kill also kills the child
                a child that is left running is killed before the exit is reported
                a child that ignores terminate delays the exit until kill
                usage includes the child
            usage without the child
                usage includes the child
            usage that is kept after the exit
                usage is empty after the exit
            output is not counted
                output is counted, and outputTail returns the last lines, oldest first
                a long line is returned, whole or truncated
                the output of different processes is separate
                readOutput reads output from an offset on
                readOutput reads the last output after the exit
                readOutput rejects a negative offset
                output can be read after the exit
                the methods of a released process still return
                the next process of a worker starts without output
            recordsOutput is false although output is recorded
                recordsOutput is true only if output is recorded
            recordsOutput is true although output is not recorded
                recordsOutput is true only if output is recorded
            a count that is reset at the exit
                the methods of a released process still return
            lines in the wrong order
                arguments are passed unchanged, without a shell
                output is counted, and outputTail returns the last lines, oldest first
            long lines that are dropped
                a long line is returned, whole or truncated
            a line where there is none
                a process that prints nothing has no output
            output that is lost at the exit
                an environment variable of the spec is passed to the process
                an environment variable of the spec overrides the inherited one
                environment variables of this JVM are inherited
                if some environment variables are listed, only those are inherited
                the working directory is that of the spec
                without a directory in the spec, the working directory is that of this JVM
                arguments are passed unchanged, without a shell
                output can be read after the exit
            outputTail accepts 0 lines
                outputTail rejects a number of lines below 1
            readOutput ignores the offset
                readOutput reads output from an offset on
                readOutput reads the last output after the exit
                readOutput rejects a negative offset
            readOutput reads nothing after the exit
                readOutput reads the last output after the exit
            readOutput accepts a negative offset
                readOutput rejects a negative offset
            output that is also added to that of other processes
                the output of different processes is separate
            output that starts with that of the previous process
                the next process of a worker starts without output
            exitStatus throws after the release
                the exit status does not change
                the methods of a released process still return
            a release that frees nothing
                release frees the resources of the process
            """;

    @Test
    void correctImplementationPassesEveryCheck() {
        ContractReport report = new FakeMachineContract().verify();

        assertThat(report.failed()).isEmpty();
        assertThat(report.notApplicable()).isEmpty();
        assertThat(report.passed())
                .hasSameSizeAs(new FakeMachineContract().checks())
                .doesNotHaveDuplicates();
    }

    @Test
    void eachFaultFailsExactlyItsChecks() {
        assertThat(Faults.detected(ProcessFaults.all())).isEqualTo(DETECTED);
    }

    @Test
    void everyCheckDetectsAFault() {
        assertThat(DETECTED.lines().filter(line -> line.startsWith(" ")).map(String::strip))
                .hasSameElementsAs(new FakeMachineContract()
                        .checks().stream().map(ContractCheck::name).toList());
    }

    @Test
    void nullResultIsReportedWithTheCall() {
        ContractReport report = new FakeMachineContract(intact -> new ForwardingProcess(intact) {
                    @Override
                    public Optional<ExitStatus> exitStatus() {
                        return null;
                    }
                })
                .report();

        assertThat(report.failed().get("a process is running when start returns"))
                .hasMessage("expected exitStatus() to return a value, but it returned null");
    }

    @Test
    void blockingCallFailsTheCheckWithoutBlockingTheRun() {
        CountDownLatch never = new CountDownLatch(1);
        FakeMachineContract contract =
                new FakeMachineContract(intact -> new ForwardingProcess(intact) {
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

        assertThat(failed.get("a process that ignores terminate runs until kill"))
                .hasMessage("expected terminate() to return immediately, but it did not return within PT2S");
    }
}
