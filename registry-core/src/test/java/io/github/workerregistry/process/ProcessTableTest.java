package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The process table compared to that of the JDK. On Linux only the implementation for Linux is tested. */
@ExtendWith(UnexpectedWarnings.class)
class ProcessTableTest {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @Test
    void runningProcessesAreListed() {
        ProcessHandle started = processes.start("sleep", "600");
        Set<Long> before = pidsOfTheJdk();
        Set<Long> listed = ProcessTable.pids();
        Set<Long> allTheTime = pidsOfTheJdk();
        allTheTime.retainAll(before);

        assertThat(listed).containsAll(allTheTime);
        assertThat(allTheTime).contains(started.pid(), ProcessHandle.current().pid());
    }

    @Test
    void exitedProcessIsNotListed() {
        ProcessHandle ended = processes.start("true");
        ended.onExit().join();

        assertThat(ProcessTable.pids()).doesNotContain(ended.pid());
        assertThat(ProcessTable.row(ended.pid()).isAbsent()).isTrue();
    }

    @Test
    void rowOfAChildHasThePidOfItsParent() {
        ProcessHandle started = processes.start("sleep", "600");

        assertThat(parentOf(started.pid())).hasValue(ProcessHandle.current().pid());
        assertThat(parentOf(1)).hasValue(0L);
    }

    private static Optional<Long> parentOf(long pid) {
        return ProcessTable.row(pid).value().map(ProcessTable.Row::parent);
    }

    private static Set<Long> pidsOfTheJdk() {
        return ProcessHandle.allProcesses().map(ProcessHandle::pid).collect(Collectors.toSet());
    }
}
