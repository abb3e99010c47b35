package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Following the output of a worker whose output cannot be read. */
@ExtendWith(UnexpectedWarnings.class)
class FollowFaultsTest {

    private static final Duration TICK = Duration.ofMillis(100);

    @RegisterExtension
    private final LoggedLines logged = new LoggedLines();

    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicInteger reading = new AtomicInteger();
    private final AtomicInteger submitted = new AtomicInteger();
    private final List<String> lines = new ArrayList<>();

    @AfterEach
    void endTheRead() {
        over.countDown();
    }

    /** Its reads hang. */
    private WorkerProcess hanging(WorkerProcess process) {
        return new ForwardingProcess(process) {
            @Override
            public OptionalLong readOutput(long offset, ByteBuffer into) {
                if (into.hasRemaining()) {
                    reading.incrementAndGet();
                    awaitEnd();
                }
                return super.readOutput(offset, into);
            }
        };
    }

    private void awaitEnd() {
        try {
            over.await();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private VirtualHive hangingHive() {
        return new VirtualHive((self, builder) -> builder.processController(spec -> hanging(self.processes.start(spec)))
                .blockingExecutor(task -> {
                    submitted.incrementAndGet();
                    new Thread(task).start();
                }));
    }

    @Test
    void whileAReadHangsNoFurtherReadsPileUp() {
        VirtualHive hive = hangingHive();
        String id = hive.spawnReady();
        hive.supervisor.follow(id, lines::add, Runnable::run);
        hive.processes.print(id, "one");
        hive.advance(TICK);
        await().until(() -> reading.get() == 1);

        for (int i = 0; i < 50; i++) {
            hive.processes.print(id, "more");
            hive.advance(TICK);
        }

        assertThat(submitted).hasValueLessThan(4);
        hive.forceKill(id);
        over.countDown();
        await().untilAsserted(() -> assertThat(lines).hasSize(51));
    }

    @Test
    void anExitDuringAReadThatHangsIsProcessedAtTheNextTick() {
        VirtualHive hive = hangingHive();
        String id = hive.spawnReady();
        hive.supervisor.follow(id, lines::add, Runnable::run);
        hive.processes.print(id, "one");
        hive.advance(TICK);
        await().until(() -> reading.get() == 1);
        UnexpectedWarnings.expect(Warnings.CRASHED);

        hive.processes.exit(id, 1);
        hive.advance(TICK);

        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void outputThatCannotBeFollowedIsLoggedOnceHoweverLongTheListenerBlocks() {
        AtomicInteger starts = new AtomicInteger();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.restartPolicy(
                        RestartPolicy.builder().jitter(0).build())
                .processController(spec -> new ForwardingProcess(self.processes.start(spec)) {
                    private final boolean readable = starts.getAndIncrement() == 0;

                    @Override
                    public OptionalLong readOutput(long offset, ByteBuffer into) {
                        return readable ? super.readOutput(offset, into) : OptionalLong.empty();
                    }
                }));
        String id = hive.spawnReady();
        List<Runnable> held = new ArrayList<>();
        hive.supervisor.follow(id, lines::add, held::add);
        UnexpectedWarnings.expect(Warnings.CRASHED, "its output is not followed");
        hive.processes.exit(id, 1);
        hive.advanceSeconds(5);

        for (int i = 0; i < 10; i++) {
            hive.processes.print(id, "more");
            hive.advance(TICK);
        }

        assertThat(logged.said(Level.WARN))
                .filteredOn(line -> line.contains("its output is not followed"))
                .hasSize(1);
    }
}
