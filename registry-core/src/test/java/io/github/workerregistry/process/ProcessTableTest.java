package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The list by pids, beside what the JDK says. (Of this system only: on Linux, the other way to it is not run.) */
@ExtendWith(UnexpectedWarnings.class)
class ProcessTableTest {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @Test
    void whoeverRunsAllTheTimeIsListed() {
        ProcessHandle started = processes.start("sleep", "600");
        Set<Long> before = pidsOfTheJdk();
        Set<Long> listed = ProcessTable.pids();
        Set<Long> allTheTime = pidsOfTheJdk();
        allTheTime.retainAll(before);

        assertThat(listed).containsAll(allTheTime);
        assertThat(allTheTime).contains(started.pid(), ProcessHandle.current().pid());
    }

    @Test
    void whoHasGoneIsNotListed() {
        ProcessHandle ended = processes.start("true");
        ended.onExit().join();

        assertThat(ProcessTable.pids()).doesNotContain(ended.pid());
        assertThat(ProcessTable.row(ended.pid()).isGone()).isTrue();
    }

    @Test
    void aChildIsKnownByThePidOfItsParent() {
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
