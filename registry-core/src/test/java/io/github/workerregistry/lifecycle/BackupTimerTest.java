package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class BackupTimerTest {

    private final List<Runnable> scheduled = new ArrayList<>();
    private final AtomicInteger runs = new AtomicInteger();
    private final BackupTimer timer = new BackupTimer(
            () -> Duration.ofMillis(1), () -> true, runs::incrementAndGet, (delay, task) -> scheduled.add(task));

    @Test
    void schedulesOneTaskAtATime() {
        timer.ensureRunning();
        timer.ensureRunning();
        assertThat(scheduled).hasSize(1);

        scheduled.get(0).run();

        assertThat(runs).hasValue(1);
        assertThat(scheduled).hasSize(2);
    }

    /** Regression: a task that the JDK's timer lost for lack of memory was awaited until the end of the JVM. */
    @Test
    void aLostTaskIsReplacedAndDoesNothingIfItRunsLate() {
        timer.ensureRunning();
        await().until(() -> {
            timer.ensureRunning();
            return scheduled.size() == 2;
        });

        scheduled.get(0).run();
        assertThat(runs).hasValue(0);
        scheduled.get(1).run();
        assertThat(runs).hasValue(1);
    }
}
