package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class OutputLoopTest {

    private final FakeProcessController processes = new FakeProcessController();
    private final AtomicInteger reads = new AtomicInteger();
    private final VirtualHive hive =
            new VirtualHive(builder -> builder.processController(spec -> counted(processes.start(spec))));

    private WorkerProcess counted(WorkerProcess process) {
        return new ForwardingProcess(process) {
            @Override
            public long outputBytes() {
                reads.incrementAndGet();
                return super.outputBytes();
            }
        };
    }

    /** Regression: once a second was too seldom, and a fast writer exceeded its limit by a gigabyte. */
    @Test
    void outputIsReadAtEveryTickInEveryState() {
        String id = hive.spawnLoading();
        hive.advanceSeconds(2);
        assertThat(reads).hasValue(20);

        hive.supervisor.reportReady(id);
        hive.lease(id);
        hive.advanceSeconds(2);
        assertThat(reads).hasValue(40);

        processes.ignoreTerminate(id);
        hive.supervisor.stop(id);
        hive.advanceSeconds(2);
        assertThat(reads).hasValue(60);
    }

    @Test
    void outputIsNotReadAfterTheExit() {
        String id = hive.spawnReady();
        hive.supervisor.stop(id);
        int before = reads.get();

        hive.advance(Duration.ofMinutes(1));

        assertThat(reads).hasValue(before);
    }
}
