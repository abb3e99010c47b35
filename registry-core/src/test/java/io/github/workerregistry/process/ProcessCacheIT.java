package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ProcessMark.Observation;
import io.github.workerregistry.process.ProcessTable.Row;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What was read of a process is remembered, and forgotten when the process may have changed. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ProcessCacheIT {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final ProcessMark MARK = new ProcessMark("cache-it.1");
    private static final String MARKED = "WORKER_REGISTRY_MARK=" + MARK.value();

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private final List<Long> read = new ArrayList<>();
    private final ProcessCache cache = new ProcessCache(pid -> {
        read.add(pid);
        return ProcessMark.observe(pid);
    });

    @Test
    void markIsRememberedOnceTheProcessIsOld() {
        ProcessHandle marked = processes.start("env", MARKED, "sleep", "600");
        await().until(() -> observe(marked.pid()).equals(Optional.of(MARK)));
        assertThat(read).contains(marked.pid());

        awaitRemembered(marked.pid());

        assertThat(observe(marked.pid())).hasValue(MARK);
    }

    @Test
    void execChangesARememberedMark(@TempDir Path directory) {
        Path flag = directory.resolve("flag");
        ProcessHandle process = processes.start(
                "sh", "-c", "until [ -e " + flag + " ]; do sleep 0.05; done; exec env " + MARKED + " sleep 600");
        awaitRemembered(process.pid());
        assertThat(observe(process.pid())).isEmpty();

        assertThat(flag.toFile().mkdir()).isTrue();

        await().atMost(PATIENCE).until(() -> observe(process.pid()).equals(Optional.of(MARK)));
    }

    /** The cache is told by the list of processes. */
    @Test
    void processThatReusesAPidIsReadAnew() {
        ReusedPid.assumePidCanBeSet();
        ProcessHandle marked = processes.start("env", MARKED, "sleep", "600");
        ProcessIdentity dead = ProcessIdentity.of(marked);
        awaitRemembered(marked.pid());
        processes.end(marked);

        ProcessHandle other =
                ReusedPid.start(dead, () -> processes.start("sleep", "600"), ProcessHandle::pid, processes::end);
        Set<Long> listed = cache.pids();

        assertThat(listed).contains(other.pid());
        assertThat(cache.row(other.pid()).value().map(Row::process)).hasValue(ProcessIdentity.of(other));
        assertThat(cache.mark(other.pid())).isEqualTo(Observation.UNMARKED);
    }

    @Test
    void unsureMarkIsNotRemembered() {
        ProcessHandle process = processes.start("sleep", "600");
        ProcessCache unsure = new ProcessCache(pid -> {
            read.add(pid);
            return Observation.UNKNOWN;
        });

        for (int i = 0; i < 5; i++) {
            assertThat(unsure.row(process.pid()).value()).isPresent();
            assertThat(unsure.mark(process.pid()).sure()).isFalse();
        }

        assertThat(read).hasSize(5);
    }

    @Test
    void childThatWasStartedSinceTheLastListIsFound() {
        ProcessHandle parent = processes.start("sh", "-c", "sleep 600 & wait");
        await().until(() -> parent.children().count() == 1);
        parent.children().forEach(processes::watch);
        assertThat(childrenOf(parent)).hasSize(1);

        ProcessHandle unrelated = processes.start("sleep", "600");
        assertThat(childrenOf(parent)).doesNotContain(unrelated.pid());
        ProcessHandle second = processes.start("sh", "-c", "sleep 600 & sleep 600 & wait");
        await().until(() -> second.children().count() == 2);
        second.children().forEach(processes::watch);

        assertThat(childrenOf(second))
                .containsExactlyInAnyOrderElementsOf(
                        second.children().map(ProcessHandle::pid).toList());
    }

    private List<Long> childrenOf(ProcessHandle parent) {
        return cache.childrenOf(Set.of(parent.pid())).stream()
                .map(row -> row.process().pid())
                .toList();
    }

    /** As a search does: the list, the row, the mark. */
    private Optional<ProcessMark> observe(long pid) {
        assertThat(cache.pids()).contains(pid);
        assertThat(cache.row(pid).value()).isPresent();
        return cache.mark(pid).mark();
    }

    /** The youngest process tells the cache the time. */
    private void awaitRemembered(long pid) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> {
            ProcessHandle young = processes.start("sleep", "600");
            boolean ended = cache.row(young.pid()).isAbsent();
            processes.end(young);
            int before = read.size();
            Optional<ProcessMark> unused = observe(pid);
            return read.size() == before && !ended;
        });
    }
}
