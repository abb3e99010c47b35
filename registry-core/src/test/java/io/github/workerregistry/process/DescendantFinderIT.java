package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Children, grandchildren and so on, whatever their environment, and no other process. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class DescendantFinderIT {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private final ProcessMark mark = new ProcessMark("finder-it.1");
    private final TreeMembers tree = TreeMembers.none();
    private final ProcessCache cache = new ProcessCache();

    private ProcessHandle family() {
        ProcessHandle root = processes.start("sh", "-c", "env -i sh -c 'sleep 600 & sleep 600; :' & sleep 600; :");
        await().until(() -> root.descendants().count() == 4);
        root.descendants().forEach(processes::watch);
        tree.add(ProcessIdentity.of(root), mark);
        return root;
    }

    private static List<ProcessIdentity> membersOf(ProcessHandle root) {
        return sorted(Stream.concat(Stream.of(root), root.descendants()).map(ProcessIdentity::of));
    }

    private static List<ProcessIdentity> sorted(Stream<ProcessIdentity> members) {
        return members.sorted(Comparator.comparingLong(ProcessIdentity::pid)).toList();
    }

    @Test
    void descendantsAreFoundInTheRowsOfAllProcesses() {
        ProcessHandle root = family();

        assertThat(new DescendantFinder(cache::childrenOf, System::nanoTime).addTo(tree))
                .isTrue();

        assertThat(sorted(tree.all().stream())).isEqualTo(membersOf(root));
    }

    @Test
    void descendantsAreFoundInTheListsOfTheKernel() {
        assumeTrue(Proc.listsChildren(), "this kernel lists no children");
        ProcessHandle root = family();

        assertThat(new DescendantFinder(cache).addTo(tree)).isTrue();

        assertThat(sorted(tree.all().stream())).isEqualTo(membersOf(root));
    }

    /** The rows may be reads old: each candidate is read again. */
    @Test
    void processThatIsNoChildAnyMoreIsNotAdded() {
        ProcessHandle root = family();
        List<ProcessTable.Row> rows = cache.childrenOf(Set.of(root.pid()));
        ProcessHandle other = processes.start("sleep", "600");
        TreeMembers ofOther = TreeMembers.none();
        ofOther.add(ProcessIdentity.of(other), mark);
        List<ProcessTable.Row> outdated = rows.stream()
                .map(row -> new ProcessTable.Row(row.process(), other.pid(), row.isBare(), row.image()))
                .toList();

        assertThat(new DescendantFinder(parents -> outdated, System::nanoTime).addTo(ofOther))
                .isTrue();

        assertThat(rows).hasSize(2);
        assertThat(ofOther.all()).containsExactly(ProcessIdentity.of(other));
    }

    @Test
    void unreadableProcessMakesTheResultIncomplete() {
        ProcessHandle unused = family();
        DescendantFinder failing = new DescendantFinder(
                parents -> {
                    throw new UnreadableException("a process", null);
                },
                System::nanoTime);

        assertThat(failing.addTo(tree)).isFalse();
        assertThat(unused.isAlive()).isTrue();
    }

    /** It must be signalled nevertheless, and on a thread that has other work. */
    @Test
    void treeThatGrowsFasterThanItIsReadIsReadInPart() {
        ProcessHandle root = family();
        AtomicLong reads = new AtomicLong();
        DescendantFinder slow = new DescendantFinder(
                cache::childrenOf, () -> TimeUnit.MILLISECONDS.toNanos(300) * reads.getAndIncrement());

        assertThat(slow.addTo(tree)).isFalse();

        assertThat(sorted(tree.all().stream()))
                .isEqualTo(
                        sorted(Stream.concat(Stream.of(root), root.children()).map(ProcessIdentity::of)));
    }
}
