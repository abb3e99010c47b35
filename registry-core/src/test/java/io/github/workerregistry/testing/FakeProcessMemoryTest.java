package io.github.workerregistry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Regression: the controller kept every worker for ever, and a long simulation ran out of memory. */
@ExtendWith(UnexpectedWarnings.class)
class FakeProcessMemoryTest {

    private final FakeProcessController processes = new FakeProcessController();

    @Test
    void workersThatExitedFirstAreForgotten() {
        startAndExit(1, 1_500);

        assertThat(IntStream.rangeClosed(1, 1_500).filter(this::isKnown).toArray())
                .isEqualTo(IntStream.rangeClosed(501, 1_500).toArray());
        assertThat(processes.starts()).isEqualTo(1_500);
        assertThatThrownBy(() -> processes.exitOf("w500"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("w500", "1000");
    }

    @Test
    void runningWorkerIsKeptWhateverTheNumberOfExits() {
        start("first");
        startAndExit(1, 3_000);
        assertThat(processes.running()).containsExactly("first");

        processes.exit("first", 3);

        assertThat(processes.exitOf("first")).hasValue(ExitStatus.unrequested(3));
        assertThat(isKnown(2_001)).isFalse();
        assertThat(isKnown(2_002)).isTrue();
    }

    @Test
    void restartedWorkerDoesNotCountAsExited() {
        startAndExit(1, 1_000);
        start("w1");
        startAndExit(1_001, 2_000);

        assertThat(processes.running()).containsExactly("w1");
        assertThat(isKnown(1)).isTrue();
        assertThat(isKnown(1_000)).isFalse();
    }

    @Test
    void exitOfAReplacedProcessIsNotTheExitOfItsWorker() {
        processes.start(spec("w1"));
        WorkerProcess before = processes.start(spec("w2"));
        start("w2");
        before.kill();
        startAndExit(3, 1_002);

        assertThat(processes.exitOf("w2")).isEmpty();
        processes.exitUnnoticed("w2", 0);
        assertThat(isKnown(3)).isFalse();
        assertThat(processes.exitOf("w2")).isPresent();
    }

    @Test
    void repeatedRestartsOfOneWorkerKeepTheOthers() {
        start("other");
        processes.exit("other", 0);
        for (int i = 0; i < 3_000; i++) {
            startAndExit(1, 1);
        }

        assertThat(processes.exitOf("other")).isPresent();
    }

    private void startAndExit(int first, int last) {
        for (int i = first; i <= last; i++) {
            start("w" + i);
            processes.exit("w" + i, 0);
        }
    }

    private void start(String workerId) {
        processes.start(spec(workerId));
    }

    private static ProcessSpec spec(String workerId) {
        return new ProcessSpec(workerId, List.of("serve"), Map.of(), Optional.empty());
    }

    private boolean isKnown(int worker) {
        try {
            processes.specOf("w" + worker);
            return true;
        } catch (IllegalArgumentException forgotten) {
            return false;
        }
    }
}
