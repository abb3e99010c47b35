package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ProcessTreeIT {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private static final ProcessMark MARK = new ProcessMark("tree-it.1");

    private final ProcessTree tree = new ProcessTree(MARK);

    @Test
    void markIsMatchedByItsWholeEntryOnly() {
        ProcessHandle marked = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        ProcessHandle longer = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.12", "sleep", "600");
        ProcessHandle other = processes.start("env", "X_WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        ProcessHandle quoting = processes.start("env", "X= WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        await().until(() -> isSleep(marked) && isSleep(longer) && isSleep(other) && isSleep(quoting));

        assertThat(tree.search()).isEqualTo(TreeSearch.Result.COMPLETE);
        tree.signal(Signal.KILL);

        await().until(() -> !marked.isAlive());
        assertThat(longer.isAlive()).isTrue();
        assertThat(other.isAlive()).isTrue();
        assertThat(quoting.isAlive()).isTrue();
    }

    @Test
    void descendantWithAnEmptiedEnvironmentIsFoundThroughItsParent() {
        ProcessHandle root = processes.start("sh", "-c", "env -i sh -c 'sleep 600; :'; :");
        await().until(() -> root.descendants().count() == 2);
        root.descendants().forEach(processes::watch);
        tree.add(ProcessIdentity.of(root), MARK);

        tree.search();
        root.destroyForcibly();
        await().until(() -> !root.isAlive());
        assertThat(tree.isAlive()).isTrue();
        tree.signal(Signal.KILL);

        await().until(() -> !tree.isAlive());
    }

    /**
     * A process in exec shows no environment. Regression: a process that executes all the time was missed by some
     * searches.
     */
    @Test
    void processInExecIsNotMissed(@TempDir Path directory) throws IOException {
        Path script = Files.writeString(directory.resolve("again"), "exec sh " + directory.resolve("again"));
        ProcessHandle marked = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.1", "sh", script.toString());
        await().until(() -> ProcessMark.observe(marked.pid()).mark().equals(Optional.of(MARK)));

        int sure = 0;
        for (int round = 0; round < 200; round++) {
            ProcessTree searched = new ProcessTree(MARK);
            if (searched.search() == TreeSearch.Result.COMPLETE) {
                assertThat(searched.isAlive()).isTrue();
                sure++;
            }
        }
        assertThat(sure).isPositive();
    }

    @Test
    void processWithAnEmptyEnvironmentIsNotUnsure() {
        ProcessHandle empty = processes.start("env", "-i", "sleep", "600");
        await().until(() -> isSleep(empty));

        assertThat(Proc.environment(Long.toString(empty.pid()))).isEqualTo(Reading.read(""));
        assertThat(ProcessMark.observe(empty.pid())).isEqualTo(ProcessMark.Observation.UNMARKED);
    }

    @Test
    void zombieDoesNotKeepATreeAlive() {
        ProcessHandle parent = processes.start("sh", "-c", "sleep 0 & exec sleep 600");
        ProcessHandle zombie = await().until(() -> parent.children().findFirst(), Optional::isPresent)
                .orElseThrow();
        tree.add(ProcessIdentity.of(zombie), MARK);

        await().until(() -> !tree.isAlive());

        assertThat(zombie.isAlive()).isTrue(); // according to the JDK
        assertThat(ProcessMark.observe(zombie.pid())).isEqualTo(ProcessMark.Observation.UNMARKED);
    }

    /** Between reading the mark and creating the handle. */
    @Test
    void processThatReusesThePidOfAMarkedOneIsNoMember() {
        ProcessHandle unrelated = processes.start("sleep", "600");
        AtomicBoolean marked = new AtomicBoolean();
        ProcessTree searched = new ProcessTree(
                MARK,
                pid -> pid == unrelated.pid() && !marked.getAndSet(true)
                        ? new ProcessMark.Observation(true, Optional.of(MARK))
                        : ProcessMark.Observation.UNMARKED,
                System::nanoTime);

        assertThat(searched.search()).isEqualTo(TreeSearch.Result.COMPLETE);

        assertThat(marked).isTrue();
        assertThat(searched.isAlive()).isFalse();
    }

    /** An NIO channel is closed by an interrupt: the search would find no process. */
    @Test
    void interruptedThreadFindsTheMark() {
        ProcessHandle marked = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        await().until(() -> isSleep(marked));

        Thread.currentThread().interrupt();
        try {
            tree.search();
            assertThat(tree.isAlive()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    private static boolean isSleep(ProcessHandle process) {
        return process.info()
                .command()
                .filter(command -> command.endsWith("sleep"))
                .isPresent();
    }
}
