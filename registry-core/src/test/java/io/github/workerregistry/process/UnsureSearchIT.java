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

/** On a machine where processes start faster than they can be read, no search is sure that it is complete. */
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
    private final ProcessTree tree =
            new ProcessTree(mark, this::observe, () -> nanos.addAndGet(betweenSearches.toNanos()));

    /** The same tree without faults. */
    private final ProcessTree left = new ProcessTree(mark);

    @AfterEach
    void killRemaining() {
        left.search();
        left.signal(Signal.KILL);
    }

    /** Regression: it was a known member without a signal, and no further search ran: the exit was never detected. */
    @Test
    void processFoundByAnUnsureSearchIsKilledAfterACrash() throws IOException {
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

    /** Started on the signal, so that the search before it cannot have found it. */
    @Test
    void processFoundByAnUnsureSearchIsTerminatedAfterARequest() throws IOException {
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
    void unsureSearchesCountAsCompleteAfterTwoSeconds() {
        assertThat(searches(20)).isZero();
        sure.set(true);
        assertThat(searches(1)).isOne();
        sure.set(false);

        assertThat(searches(20)).isZero();
        assertThat(searches(2)).isEqualTo(2);
    }

    /**
     * On a loaded machine a search takes long. Regression: twenty were required, and a dead worker counted as
     * unkillable.
     */
    @Test
    void fiveConsecutiveUnsureSearchesCountAsCompleteIfTheyTakeLonger() {
        betweenSearches = Duration.ofSeconds(1);

        assertThat(searches(4)).isZero();
        assertThat(searches(1)).isOne();
    }

    @Test
    void failedSearchesNeverCountAsComplete() {
        broken.set(true);

        assertThat(searches(50)).isZero();
    }

    /** Regression: the two seconds started with the terminate signal, and an exit may take longer than that. */
    @Test
    void searchOutsideAWaitDoesNotStartTheTwoSeconds() {
        assertThat(tree.search()).isEqualTo(TreeSearch.Result.UNSURE);
        nanos.addAndGet(Duration.ofSeconds(10).toNanos());

        assertThat(searches(20)).isZero();
    }

    private ProcessMark.Observation observe(long pid) {
        if (broken.get()) {
            throw new IllegalStateException("no file descriptor is free");
        }
        return new ProcessMark.Observation(sure.get(), ProcessMark.observe(pid).mark());
    }

    /** The number of searches, of {@code count}, that report to be complete. */
    private int searches(int count) {
        int complete = 0;
        for (int i = 0; i < count; i++) {
            complete += tree.searchConclusively() ? 1 : 0;
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
        betweenSearches = Duration.ofSeconds(1); // the fewest searches: each reads all processes ten times
        SharedSearch search = new SharedSearch(new ProcessCache(this::observe), SharedSearch.EXECUTOR);
        return LocalProcess.watch("w", root, mark, tree, search, new UnrecordedOutput(Redirect.DISCARD));
    }

    private static ConditionFactory eventually() {
        return await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20));
    }
}
