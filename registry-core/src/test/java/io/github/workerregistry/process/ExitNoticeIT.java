package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The JDK reports the exit of the root once, or never. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ExitNoticeIT {

    /** More reads than one search has, fewer than all searches after a notice have. */
    private static final int UNSURE_READS = 25;

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private final ProcessMark mark = new ProcessMark(UUID.randomUUID().toString());

    /** Regression: without polling, the notice never completed. */
    @Test
    void noticeCompletesAlthoughTheFirstSearchesAreUnsure() throws IOException {
        AtomicInteger reads = new AtomicInteger();
        WorkerProcess worker = watch(
                start(),
                pid -> pid == 1 && reads.incrementAndGet() <= UNSURE_READS
                        ? ProcessMark.Observation.UNKNOWN
                        : ProcessMark.observe(pid));
        CompletableFuture<ExitStatus> notice = worker.onExit().toCompletableFuture();

        ProcessHandle.of(worker.identity().pid()).orElseThrow().destroyForcibly();

        assertThat(notice).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(ExitStatus.unrequested(137));
        assertThat(reads).hasValueGreaterThan(UNSURE_READS);
    }

    /**
     * The JDK creates a thread for the callback if the process has exited. Regression: the start was reported as
     * failed.
     */
    @Test
    void exitIsDetectedByPollingWithoutAThreadForTheNotice() throws IOException {
        Process root = start();
        WorkerProcess worker = watch(new ProcessWithoutNotice(root), ProcessMark::observe);

        root.toHandle().destroyForcibly();

        await().atMost(Duration.ofSeconds(20)).until(() -> worker.exitStatus().isPresent());
        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    /** They share a search, and complete on threads of their own. */
    @Test
    void callBackThatBlocksDoesNotHoldUpOtherExits() throws IOException {
        SharedSearch search = new SharedSearch(new ProcessCache(), SharedSearch.EXECUTOR);
        Process first = start();
        ProcessMark otherMark = new ProcessMark(UUID.randomUUID().toString());
        Process second = start(otherMark);
        WorkerProcess blocking = watch(first, mark, search);
        WorkerProcess other = watch(second, otherMark, search);
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<Void> returned = blocking.onExit()
                .toCompletableFuture()
                .thenRun(() -> {
                    blocked.countDown();
                    awaitUninterruptibly(release);
                });

        first.toHandle().destroyForcibly();
        awaitUninterruptibly(blocked);
        second.toHandle().destroyForcibly();

        assertThat(other.onExit().toCompletableFuture()).succeedsWithin(Duration.ofSeconds(20));
        release.countDown();
        assertThat(returned).succeedsWithin(Duration.ofSeconds(20));
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Process start() throws IOException {
        return start(mark);
    }

    private Process start(ProcessMark mark) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sleep", "600").redirectError(Redirect.DISCARD);
        mark.putInto(builder.environment());
        Process root = builder.start();
        processes.watch(root.toHandle());
        return root;
    }

    private WorkerProcess watch(Process root, LongFunction<ProcessMark.Observation> markReader) {
        return watch(root, mark, new SharedSearch(new ProcessCache(markReader), SharedSearch.EXECUTOR));
    }

    private static WorkerProcess watch(Process root, ProcessMark mark, SharedSearch search) {
        return LocalProcess.watch(
                "w", root, mark, new ProcessTree(mark), search, new UnrecordedOutput(Redirect.DISCARD));
    }
}
