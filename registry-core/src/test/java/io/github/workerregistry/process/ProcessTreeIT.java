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
    void aMarkIsFoundByItsWholeEntryOnly() {
        ProcessHandle marked = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        ProcessHandle longer = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.12", "sleep", "600");
        ProcessHandle other = processes.start("env", "X_WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        ProcessHandle quoting = processes.start("env", "X= WORKER_REGISTRY_MARK=tree-it.1", "sleep", "600");
        await().until(() -> isSleep(marked) && isSleep(longer) && isSleep(other) && isSleep(quoting));

        assertThat(tree.search()).isEqualTo(ProcessTree.Search.COMPLETE);
        tree.signal(Signal.KILL);

        await().until(() -> !marked.isAlive());
        assertThat(longer.isAlive()).isTrue();
        assertThat(other.isAlive()).isTrue();
        assertThat(quoting.isAlive()).isTrue();
    }

    @Test
    void aDescendantWithAnEmptiedEnvironmentIsFoundThroughItsParent() {
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

    /** Amid exec a process shows no environment. One that does nothing else was overlooked in every few searches. */
    @Test
    void aProcessThatIsChangingItsProgramIsNotOverlooked(@TempDir Path directory) throws IOException {
        Path script = Files.writeString(directory.resolve("again"), "exec sh " + directory.resolve("again"));
        ProcessHandle marked = processes.start("env", "WORKER_REGISTRY_MARK=tree-it.1", "sh", script.toString());
        await().until(() -> ProcessMark.lookAt(marked.pid()).mark().equals(Optional.of(MARK)));

        int sure = 0;
        for (int round = 0; round < 200; round++) {
            ProcessTree searched = new ProcessTree(MARK);
            if (searched.search() == ProcessTree.Search.COMPLETE) {
                assertThat(searched.isAlive()).isTrue();
                sure++;
            }
        }
        assertThat(sure).isPositive();
    }

    @Test
    void aProcessWithAnEmptyEnvironmentLeavesNoDoubt() {
        ProcessHandle empty = processes.start("env", "-i", "sleep", "600");
        await().until(() -> isSleep(empty));

        assertThat(Proc.environment(Long.toString(empty.pid()))).isEqualTo(Reading.read(""));
        assertThat(ProcessMark.lookAt(empty.pid())).isEqualTo(ProcessMark.Look.UNMARKED);
    }

    @Test
    void aZombieDoesNotKeepATreeAlive() {
        ProcessHandle parent = processes.start("sh", "-c", "sleep 0 & exec sleep 600");
        ProcessHandle zombie = await().until(() -> parent.children().findFirst(), Optional::isPresent)
                .orElseThrow();
        tree.add(ProcessIdentity.of(zombie), MARK);

        await().until(() -> !tree.isAlive());

        assertThat(zombie.isAlive()).isTrue(); // says the JDK
        assertThat(ProcessMark.lookAt(zombie.pid())).isEqualTo(ProcessMark.Look.UNMARKED);
    }

    /** Between the look and the making of the handle. */
    @Test
    void whoGetsThePidOfAMarkedProcessIsNoMember() {
        ProcessHandle stranger = processes.start("sleep", "600");
        AtomicBoolean looked = new AtomicBoolean();
        ProcessTree searched = new ProcessTree(
                MARK,
                pid -> pid == stranger.pid() && !looked.getAndSet(true)
                        ? new ProcessMark.Look(true, Optional.of(MARK))
                        : ProcessMark.Look.UNMARKED,
                System::nanoTime);

        assertThat(searched.search()).isEqualTo(ProcessTree.Search.COMPLETE);

        assertThat(looked).isTrue();
        assertThat(searched.isAlive()).isFalse();
    }

    /** A channel of NIO closes itself under an interrupted thread: the search would find nobody. */
    @Test
    void anInterruptedThreadFindsTheMarkToo() {
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
