package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.OrphanReport.Orphan;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A stranger has got the pid of a process of ours: no signal that is meant for that one goes to the stranger. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class PidReuseIT {

    @RegisterExtension
    final RealWorkers workers;

    @RegisterExtension
    final RealHives hives;

    PidReuseIT(@TempDir Path directory) {
        workers = new RealWorkers(directory);
        hives = new RealHives(directory);
    }

    @BeforeAll
    static void pidsCanBeForced() {
        ReusedPid.assumeItCanBeForced();
    }

    /** With the pid of one that is dead. */
    private ProcessHandle stranger(ProcessIdentity dead) {
        ProcessHandle stranger = ReusedPid.start(
                dead, () -> workers.processes().start("sleep", "600"), ProcessHandle::pid, workers.processes()::end);
        assertThat(ProcessIdentity.of(stranger)).as("another process").isNotEqualTo(dead);
        return stranger;
    }

    private static void assertUnharmed(ProcessHandle stranger) {
        assertThat(RealProcesses.runs(stranger)).isTrue();
    }

    @Test
    void anIdentityIsNotThatOfTheStranger() {
        WorkerProcess worker = workers.running();
        ProcessIdentity dead = worker.identity();
        workers.end(worker);

        ProcessHandle stranger = stranger(dead);

        assertThat(dead.isAlive()).isFalse();
        assertThat(dead.hasEnded()).isTrue();
        assertThat(ProcessIdentity.ofPid(dead.pid())).hasValue(ProcessIdentity.of(stranger));
        assertUnharmed(stranger);
    }

    @Test
    void signalsToAWorkerThatHasEndedDoNotReachTheStranger() {
        WorkerProcess worker = workers.running();
        worker.kill();
        workers.eventuallyEnded(worker);
        ProcessHandle stranger = stranger(worker.identity());

        worker.terminate();
        worker.kill();

        assertUnharmed(stranger);
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    /**
     * The worker counts as running: one of its tree is deaf and holds the exit back. Its root has gone long since. (The
     * deaf one has a session of its own: while one is left in that of the root, the kernel keeps the root's pid.)
     */
    @Test
    void theKillOfWhatIsLeftOfATreeDoesNotReachTheStrangerInThePlaceOfItsRoot() {
        WorkerProcess wrapper =
                workers.shell("trap 'exit 5' TERM; (trap '' TERM; exec setsid sh -c 'echo $$; exec sleep 600') & wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);
        wrapper.terminate();
        ProcessHandle stranger = stranger(wrapper.identity());
        assertThat(wrapper.exitStatus()).isEmpty();

        wrapper.terminate();
        assertThat(grandchild.isAlive()).isTrue();
        assertUnharmed(stranger);
        wrapper.kill();
        workers.eventuallyEnded(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertUnharmed(stranger);
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(5));
    }

    @Test
    void norDoesItReachAStrangerInThePlaceOfAChildThatTheTreeHasHad() {
        WorkerProcess wrapper = workers.shell("sleep 600 & trap '' TERM; echo $!; while :; do wait; sleep 0.02; done");
        ProcessIdentity child = workers.printedPid(wrapper);
        wrapper.terminate(); // now the child is known as a member, and goes
        ProcessHandle stranger = stranger(child);

        wrapper.terminate();
        assertUnharmed(stranger);
        wrapper.kill();
        workers.eventuallyEnded(wrapper);

        assertUnharmed(stranger);
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    /** The JDK files its children by their pids. */
    @Test
    void aWorkerWithThePidOfAnEarlierOneHasALifeOfItsOwn() {
        WorkerProcess first = workers.shell("sleep 0.05; exit 3");
        workers.eventuallyEnded(first);

        WorkerProcess second = ReusedPid.start(
                first.identity(),
                () -> workers.start("sleep", "600"),
                worker -> worker.identity().pid(),
                WorkerProcess::kill);
        CompletableFuture<ExitStatus> notice = second.onExit().toCompletableFuture();
        first.kill();

        assertThat(second.exitStatus()).isEmpty();
        assertThat(notice).isNotDone();
        assertThat(second.identity().isAlive()).isTrue();
        assertThat(second.identity()).isNotEqualTo(first.identity());
        second.kill();
        workers.eventuallyEnded(second); // a search that was not sure is repeated by a poll only
        assertThat(notice).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(ExitStatus.requested(137));
        assertThat(first.exitStatus()).hasValue(ExitStatus.unrequested(3));
    }

    @Test
    void theReaperEndsTheOrphansOfAHiveWhosePidAStrangerHas() {
        String id = RealHives.newId();
        RealHives.Hive hive = hives.start(id, HiveMain.PLAIN);
        List<ProcessIdentity> orphans = hive.members(1);
        ProcessIdentity dead = hive.identity();
        hive.kill();
        ProcessHandle stranger = stranger(dead);

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(report.ended()).extracting(Orphan::process).containsExactlyElementsOf(orphans);
        assertThat(orphans).noneMatch(ProcessIdentity::isAlive);
        assertUnharmed(stranger);
    }

    /** Between the search and the kill. */
    @Test
    void theReaperDoesNotKillAStrangerInThePlaceOfAnOrphan() {
        String id = RealHives.newId();
        Origin here = Origin.here(id, "w", "it.1");
        ProcessIdentity deadHive =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessMark mark = new Origin(id, deadHive, here.namespace(), "w", "it.1").mark();
        ProcessHandle orphan = workers.processes().start("env", "WORKER_REGISTRY_MARK=" + mark.value(), "sleep", "600");
        await().until(() ->
                ProcessMark.lookAt(orphan.pid()).mark().filter(mark::equals).isPresent());
        ProcessIdentity identity = ProcessIdentity.of(orphan);
        ProcessHandle[] stranger = new ProcessHandle[1];

        OrphanReport report = new OrphanReaper(id, Duration.ofSeconds(20), orphans -> {
                    orphan.destroyForcibly();
                    stranger[0] = stranger(identity);
                    return orphans.kill();
                })
                .reap();

        assertThat(report.ended()).extracting(Orphan::process).containsExactly(identity);
        assertThat(report.remaining()).isEmpty();
        assertUnharmed(stranger[0]);
    }
}
