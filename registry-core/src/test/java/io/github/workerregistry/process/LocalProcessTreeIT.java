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

/** All descendants of a worker are ended with it, and no other process is. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LocalProcessTreeIT {

    @RegisterExtension
    final RealWorkers workers;

    LocalProcessTreeIT(@TempDir Path logs) {
        this.workers = new RealWorkers(logs);
    }

    @Test
    void grandchildOfAKilledWrapperIsKilledBeforeTheExitIsReported() {
        WorkerProcess wrapper = workers.shell("sleep 600 & echo $!; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        workers.handleOf(wrapper).destroyForcibly();
        workers.eventuallyExited(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void grandchildInItsOwnSessionThatIgnoresSigtermIsKilledAfterTheWrapperExits() {
        WorkerProcess wrapper =
                workers.shell("trap 'exit 3' USR1; (trap '' TERM; exec setsid sh -c 'echo $$; exec sleep 600') & wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        workers.signal("USR1", wrapper);
        workers.eventuallyExited(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.unrequested(3));
    }

    /**
     * Without polling: the JDK's exit callback kills the rest of the tree, and the exit is reported by the next poll.
     */
    @Test
    void signalAfterACrashDoesNotMakeTheExitRequested() {
        WorkerProcess wrapper = workers.shell("sleep 600 & echo $!; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);
        workers.handleOf(wrapper).destroyForcibly();
        workers.eventually(() -> !grandchild.isAlive());

        wrapper.terminate();
        workers.eventuallyExited(wrapper);

        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void terminateSignalsTheWholeTree() {
        WorkerProcess wrapper = workers.shell("sleep 600 & echo $!; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        wrapper.terminate();
        workers.eventuallyExited(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void grandchildThatIgnoresSigtermDelaysTheExitUntilKill() {
        WorkerProcess wrapper =
                workers.shell("(trap '' TERM; sh -c 'echo $$; exec sleep 600') & trap 'exit 5' TERM; wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);

        wrapper.terminate();
        workers.eventually(
                () -> wrapper.exitStatus().isPresent() || !wrapper.identity().isAlive());
        await().during(Duration.ofMillis(200)).until(() -> wrapper.exitStatus().isEmpty() && grandchild.isAlive());

        wrapper.kill();
        workers.eventuallyExited(wrapper);
        assertThat(grandchild.isAlive()).isFalse();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(5));
    }

    @Test
    void childStartedOnSigtermIsTerminatedToo() {
        // Waits until the child is a sleep: a newly forked shell still has the trap of its parent.
        WorkerProcess wrapper = workers.shell("trap 'sleep 600 & until grep -q sleep /proc/$!/comm; do :; done;"
                + " echo $!; exit 0' TERM; echo 0; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(wrapper, "0");

        wrapper.terminate();
        workers.eventually(() -> !wrapper.outputTail(1).contains("0"));
        workers.eventuallyExited(wrapper);

        long late = Long.parseLong(wrapper.outputTail(1).get(0));
        assertThat(ProcessIdentity.ofPid(late).filter(ProcessIdentity::isAlive)).isEmpty();
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(0));
    }

    /** The search that follows SIGTERM finds the child, and leaves it to the wrapper that waits for it. */
    @Test
    void childStartedOnSigtermIsLeftToItsParentWhileThatRuns() {
        for (int round = 0; round < 5; round++) {
            WorkerProcess wrapper = workers.shell("trap 'sh -c \"sleep 0.3; echo cleaned up\"; exit 4' TERM;"
                    + " echo ready; while :; do sleep 0.02; done");
            workers.eventuallyPrinted(wrapper, "ready");

            wrapper.terminate();
            workers.eventuallyExited(wrapper);

            assertThat(wrapper.outputTail(1)).containsExactly("cleaned up");
            assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(4));
        }
    }

    /** It has no mark, so it must be found before its parent exits. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void childWithAnEmptiedEnvironmentIsEndedWithItsParent(boolean force) {
        WorkerProcess wrapper = workers.shell("env -i sh -c 'echo $$; exec sleep 600' & wait");
        ProcessIdentity child = workers.printedPid(wrapper);

        if (force) {
            wrapper.kill();
        } else {
            wrapper.terminate();
        }

        workers.eventually(() -> !child.isAlive());
        workers.eventuallyExited(wrapper);
    }

    @Test
    void killEndsATreeThatKeepsForking() {
        WorkerProcess process = workers.shell("echo ready; while :; do setsid sleep 600 & sleep 0.01; done");
        workers.eventuallyPrinted(process, "ready");
        await().until(() -> workers.handleOf(process).children().count() > 10);

        ProcessTree left = new ProcessTree(new ProcessMark(markOf(process)));

        process.kill();
        workers.eventuallyExited(process);

        left.search();
        assertThat(left.isAlive()).isFalse();
    }

    /** A search by prefix of the mark would match worker 10 for worker 1. */
    @Test
    void otherWorkersAndUnrelatedProcessesAreNotSignalled() {
        ProcessHandle unrelated = workers.processes().start("sleep", "600");
        WorkerProcess first = workers.running();
        List<WorkerProcess> others = Stream.generate(workers::running).limit(10).toList();

        first.kill();
        workers.eventuallyExited(first);

        assertThat(others).allMatch(other -> other.identity().isAlive());
        assertThat(unrelated.isAlive()).isTrue();
    }

    /** The child is still in exec when the exit of its parent is detected. */
    @Test
    void childStartedImmediatelyBeforeTheExitIsKilled() {
        for (int round = 0; round < 30; round++) {
            WorkerProcess wrapper = workers.shell("sleep 600 & echo $!");
            workers.eventuallyExited(wrapper);

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
