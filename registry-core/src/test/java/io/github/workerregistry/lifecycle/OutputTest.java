package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The last lines and the usage of a running worker. */
@ExtendWith(UnexpectedWarnings.class)
class OutputTest {

    private static final ProcessUsage USAGE = new ProcessUsage(1024, Duration.ofSeconds(3), 4, 2);

    private final VirtualHive hive = VirtualHive.restarting();

    @Test
    void outputOfARunningWorkerIsItsLastLinesOldestFirst() {
        String id = hive.spawnReady();
        hive.processes.print(id, "one");
        hive.processes.print(id, "two");
        hive.processes.print(id, "three");

        assertThat(hive.supervisor.output(id, 2)).containsExactly("two", "three");
        assertThat(hive.supervisor.output(id, Integer.MAX_VALUE)).containsExactly("one", "two", "three");
    }

    @Test
    void outputOfAWorkerThatBacksOffIsThatOfItsExit() {
        String id = hive.spawnReady();
        hive.processes.print(id, "one");
        hive.processes.print(id, "two");
        UnexpectedWarnings.expect("worker " + id + " (tiny, generation 1) has ended");
        hive.processes.exit(id, 1);

        assertThat(hive.supervisor.output(id, 1)).containsExactly("two");
        hive.advanceSeconds(10);
        assertThat(hive.supervisor.output(id, 1)).isEmpty();
    }

    @Test
    void outputOfAnUnknownWorkerIsEmpty() {
        assertThat(hive.supervisor.output("unknown", 1)).isEmpty();
    }

    @Test
    void outputThatIsNotRecordedIsRefused() {
        hive.processes.discardOutput();
        String id = hive.spawnReady();

        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> hive.supervisor.output(id, 1))
                .withMessageContaining("worker " + id + ": its output is not recorded");
    }

    @Test
    void foreignOutputIsSanitised() {
        String id = hive.spawnReady();
        hive.processes.print(id, "a\u001b[31mb");

        assertThat(hive.supervisor.output(id, 1)).containsExactly("a\\u001b[31mb");
    }

    @Test
    void usageIsThatOfTheProcessUntilItExits() {
        String id = hive.spawnReady();
        assertThat(hive.supervisor.usage(id)).isEmpty();

        hive.processes.use(id, USAGE);
        assertThat(hive.supervisor.usage(id)).contains(USAGE);

        UnexpectedWarnings.expect("worker " + id + " (tiny, generation 1) has ended");
        hive.processes.exit(id, 1);
        assertThat(hive.supervisor.usage(id)).isEmpty();
        assertThat(hive.supervisor.usage("unknown")).isEmpty();
    }

    @Test
    void aFailingProcessHasNoOutputAndNoUsage() {
        VirtualHive other = new VirtualHive(
                (self, builder) -> builder.processController(spec -> new ForwardingProcess(self.processes.start(spec)) {
                    @Override
                    public List<String> outputTail(int maxLines) {
                        throw new IllegalStateException("broken");
                    }

                    @Override
                    public Optional<ProcessUsage> usage() {
                        throw new IllegalStateException("broken");
                    }
                }));
        String id = other.spawnReady();
        UnexpectedWarnings.expect("worker " + id + " (tiny, generation 1): its output cannot be read");

        assertThat(other.supervisor.output(id, 1)).isEmpty();
        assertThat(other.supervisor.usage(id)).isEmpty();
    }
}
