package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever a worker starts dies with it, and nobody else does. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LocalProcessTreeIT {

    @RegisterExtension
    final RealWorkers workers;

    LocalProcessTreeIT(@TempDir Path logs) {
        this.workers = new RealWorkers(logs);
    }

    @Test
    void theGrandchildOfAKilledWrapperDiesBeforeTheExitIsGiven() {
        WorkerProcess wrapper = workers.shell("sleep 600 & echo $!; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        workers.handleOf(wrapper).destroyForcibly();
        workers.eventuallyEnded(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void aGrandchildInASessionOfItsOwnThatIgnoresSigtermDiesWithAWrapperThatEndsByItself() {
        WorkerProcess wrapper =
                workers.shell("trap 'exit 3' USR1; (trap '' TERM; exec setsid sh -c 'echo $$; exec sleep 600') & wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        workers.signal("USR1", wrapper);
        workers.eventuallyEnded(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.unrequested(3));
    }

    /** Nobody polls: the notice of the JDK has what is left killed, and the exit is held back until somebody asks. */
    @Test
    void aSignalThatComesAfterACrashDoesNotMakeItARequest() {
        WorkerProcess wrapper = workers.shell("sleep 600 & echo $!; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);
        workers.handleOf(wrapper).destroyForcibly();
        workers.eventually(() -> !grandchild.isAlive());

        wrapper.terminate();
        workers.eventuallyEnded(wrapper);

        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void terminateAsksTheWholeTree() {
        WorkerProcess wrapper = workers.shell("sleep 600 & echo $!; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        wrapper.terminate();
        workers.eventuallyEnded(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void aGrandchildThatIgnoresSigtermHoldsTheExitBackUntilKill() {
        WorkerProcess wrapper =
                workers.shell("(trap '' TERM; sh -c 'echo $$; exec sleep 600') & trap 'exit 5' TERM; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        wrapper.terminate();
        workers.eventually(
                () -> wrapper.exitStatus().isPresent() || !wrapper.identity().isAlive());
        await().during(Duration.ofMillis(200)).until(() -> wrapper.exitStatus().isEmpty() && grandchild.isAlive());

        wrapper.kill();
        workers.eventuallyEnded(wrapper);
        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(5));
    }

    @Test
    void aChildStartedInAnswerToSigtermIsAskedToo() {
        // It waits until the child is a sleep: a shell that was just forked has the trap of its parent still.
        WorkerProcess wrapper = workers.shell("trap 'sleep 600 & until grep -q sleep /proc/$!/comm; do :; done;"
                + " echo $!; exit 0' TERM; echo 0; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(wrapper, "0");

        wrapper.terminate();
        workers.eventually(() -> !wrapper.outputTail(1).contains("0"));
        workers.eventuallyEnded(wrapper);

        long late = Long.parseLong(wrapper.outputTail(1).get(0));
        assertThat(ProcessIdentity.ofPid(late).filter(ProcessIdentity::isAlive)).isEmpty();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(0));
    }

    /** It bears no mark: it has to be found before its parent dies. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aChildWithAnEmptiedEnvironmentIsEndedWithItsParent(boolean force) {
        WorkerProcess wrapper = workers.shell("env -i sh -c 'echo $$; exec sleep 600' & wait");
        ProcessIdentity child = workers.printedPid(wrapper);

        if (force) {
            wrapper.kill();
        } else {
            wrapper.terminate();
        }

        workers.eventually(() -> !child.isAlive());
        workers.eventuallyEnded(wrapper);
    }

    @Test
    void killEndsATreeThatGrowsMeanwhile() {
        WorkerProcess process = workers.shell("echo ready; while :; do setsid sleep 600 & sleep 0.01; done");
        workers.eventuallyPrinted(process, "ready");
        await().until(() -> workers.handleOf(process).children().count() > 10);

        ProcessTree left = new ProcessTree(new ProcessMark(markOf(process)));

        process.kill();
        workers.eventuallyEnded(process);

        left.search();
        assertThat(left.isAlive()).isFalse();
    }

    /** A search by the beginning of the mark would let the first worker take the tenth along. */
    @Test
    void otherWorkersAndStrangersAreLeftAlone() {
        ProcessHandle stranger = workers.processes().start("sleep", "600");
        WorkerProcess first = workers.running();
        List<WorkerProcess> others = Stream.generate(workers::running).limit(10).toList();

        first.kill();
        workers.eventuallyEnded(first);

        assertThat(others).allMatch(other -> other.identity().isAlive());
        assertThat(stranger.isAlive()).isTrue();
    }

    /** The child is still on its way to be a sleep when the exit of its parent is seen. */
    @Test
    void aChildStartedInTheLastMomentDies() {
        for (int round = 0; round < 30; round++) {
            WorkerProcess wrapper = workers.shell("sleep 600 & echo $!");
            workers.eventuallyEnded(wrapper);

            long child = Long.parseLong(wrapper.outputTail(1).get(0));
            assertThat(ProcessIdentity.ofPid(child).filter(ProcessIdentity::isAlive))
                    .isEmpty();
        }
    }

    private static String markOf(WorkerProcess process) {
        String name = "WORKER_REGISTRY_MARK=";
        return Stream.of(Proc.environment(Long.toString(process.identity().pid()))
                        .value()
                        .orElseThrow()
                        .split("\0", -1))
                .filter(entry -> entry.startsWith(name))
                .map(entry -> entry.substring(name.length()))
                .findFirst()
                .orElseThrow();
    }
}
