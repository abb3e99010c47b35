package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.BrokenLog;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Passes on an executor that may drop or refuse tasks. */
@ExtendWith(UnexpectedWarnings.class)
class SerialPassesTest {

    private final VirtualTime time = new VirtualTime();
    private final List<Runnable> submitted = new ArrayList<>();
    private final AtomicInteger passes = new AtomicInteger();
    private boolean refuses;
    private final SerialPasses serial = new SerialPasses(this::execute, time, Runnable::run, passes::incrementAndGet);

    private void execute(Runnable task) {
        if (refuses) {
            throw new RejectedExecutionException("refuses");
        }
        submitted.add(task);
    }

    @Test
    void signalsShareAPassThatHasNotBegun() {
        serial.signal();
        serial.signal();
        assertThat(submitted).hasSize(1);
        submitted.remove(0).run();
        assertThat(passes).hasValue(1);
        serial.signal();
        assertThat(submitted).hasSize(1);
    }

    /** No signal submitted another pass, for ever. */
    @Test
    void passIsSubmittedAgainIfTheExecutorHasDroppedOne() {
        serial.signal();
        submitted.clear();
        time.advance(Duration.ofMillis(900));
        serial.signal();
        assertThat(submitted).isEmpty();
        time.advance(Duration.ofMillis(200));
        serial.signal();
        assertThat(submitted).hasSize(1);
        submitted.remove(0).run();

        assertThat(passes).hasValue(1);
    }

    @Test
    void passThatIsRefusedRunsOnTheCallingThread() {
        refuses = true;
        serial.signal();
        assertThat(passes).hasValue(1);
        refuses = false;
        serial.signal();
        assertThat(submitted).hasSize(1);
    }

    /** Every later pass was left to the one that had failed. */
    @Test
    void passStillRunsAfterOneThatFailedWithTheLog() {
        SerialPasses failing = new SerialPasses(Runnable::run, time, Runnable::run, () -> {
            if (passes.incrementAndGet() == 1) {
                throw new IllegalStateException("fails");
            }
        });
        try (BrokenLog log = new BrokenLog(WorkerPool.class)) {
            UnexpectedWarnings.allow("a pass of the pool failed");
            failing.signal();
        }
        failing.signal();

        assertThat(passes).hasValue(2);
    }

    @Test
    void callIsFollowedByAPassOnItsOwnThread() {
        assertThat(serial.call(() -> "read", false)).isEqualTo("read");
        assertThat(passes).hasValue(0);
        assertThat(serial.call(() -> "changed", true)).isEqualTo("changed");
        assertThat(passes).hasValue(1);
    }

    /** A change that came between the changes of a turn and its pass was applied in the next one, without a pass. */
    @Test
    void passFollowsEachChange() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        AtomicInteger applied = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger();
        SerialPasses both = new SerialPasses(executor, time, Runnable::run, () -> seen.set(applied.get()));
        try {
            for (int round = 0; round < 50_000; round++) {
                Future<?> calls = executor.submit(() -> both.call(() -> true, true));
                both.submit(applied::incrementAndGet);
                calls.get();
                executor.submit(() -> {}).get(); // the pass that was submitted has run
                assertThat(seen.get()).isEqualTo(applied.get());
            }
        } finally {
            executor.shutdownNow();
        }
    }
}
