package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** On a machine where others start faster than they can be looked at, no search is sure that it has seen everybody. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class UnsureSearchIT {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private final ProcessMark mark = new ProcessMark(UUID.randomUUID().toString());
    private final AtomicBoolean sure = new AtomicBoolean();
    private final AtomicBoolean broken = new AtomicBoolean();
    private final AtomicLong nanos = new AtomicLong();
    private Duration betweenSearches = Duration.ofMillis(100);
    private final ProcessTree tree = new ProcessTree(
            mark,
            pid -> {
                if (broken.get()) {
                    throw new IllegalStateException("no file descriptor is free");
                }
                return new ProcessMark.Look(sure.get(), ProcessMark.lookAt(pid).mark());
            },
            () -> nanos.addAndGet(betweenSearches.toNanos()));

    /** The same, as it is. */
    private final ProcessTree left = new ProcessTree(mark);

    @AfterEach
    void endWhatIsLeft() {
        left.search();
        left.signal(Signal.KILL);
    }

    /** It was known and had no signal, and who is known is not searched for: the exit stayed unseen for ever. */
    @Test
    void whomAnUnsureSearchFindsIsKilledAfterACrash() throws IOException {
        Process root = start("sleep 600 & wait");
        ProcessHandle child = eventually()
                .until(() -> root.children().findFirst(), Optional::isPresent)
                .orElseThrow();
        processes.watch(child);
        WorkerProcess worker = watch(root);

        root.toHandle().destroyForcibly();

        eventually().until(() -> worker.exitStatus().isPresent());
        assertThat(RealProcesses.runs(child)).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    /** Started in answer to the signal, so that the search before it cannot have found it. */
    @Test
    void whomAnUnsureSearchFindsIsAskedAfterARequest() throws IOException {
        Process root = start("trap 'sleep 600 & exit 5' TERM; echo; while :; do sleep 0.02; done");
        WorkerProcess worker = watch(root);
        assertThat(root.getInputStream().read()).as("the trap is set").isEqualTo('\n');

        worker.terminate();

        eventually().until(() -> worker.exitStatus().isPresent());
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(5));
        left.search();
        assertThat(left.isAlive()).isFalse();
    }

    @Test
    void unsureSearchesAreBelievedAfterTwoSeconds() {
        assertThat(searches(20)).isZero();
        sure.set(true);
        assertThat(searches(1)).isOne();
        sure.set(false);

        assertThat(searches(20)).isZero();
        assertThat(searches(2)).isEqualTo(2);
    }

    /**
     * On a loaded machine a search takes long. Twenty were waited for: a worker that was dead counted as unkillable.
     */
    @Test
    void fiveUnsureSearchesInARowAreBelievedIfTheyTakeLonger() {
        betweenSearches = Duration.ofSeconds(1);

        assertThat(searches(4)).isZero();
        assertThat(searches(1)).isOne();
    }

    @Test
    void searchesThatFailAreNeverBelieved() {
        broken.set(true);

        assertThat(searches(50)).isZero();
    }

    /** It began the two seconds when the worker was asked to end, which may take it longer than that. */
    @Test
    void aSearchThatNobodyWaitsForDoesNotBeginTheTwoSeconds() {
        assertThat(tree.search()).isEqualTo(ProcessTree.Search.UNSURE);
        nanos.addAndGet(Duration.ofSeconds(10).toNanos());

        assertThat(searches(20)).isZero();
    }

    /** How many of so many searches say that nobody was overlooked. */
    private int searches(int count) {
        int complete = 0;
        for (int i = 0; i < count; i++) {
            complete += tree.searchWithPatience() ? 1 : 0;
        }
        return complete;
    }

    private Process start(String script) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", script).redirectError(Redirect.DISCARD);
        mark.putInto(builder.environment());
        Process root = builder.start();
        processes.watch(root.toHandle());
        return root;
    }

    private WorkerProcess watch(Process root) {
        return LocalProcess.watch("w", root, mark, tree, new UnrecordedOutput(Redirect.DISCARD));
    }

    private static ConditionFactory eventually() {
        return await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20));
    }
}
