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

/** An unrelated process reuses the pid of a process of ours: it never receives a signal for that process. */
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
    static void assumePidCanBeSet() {
        ReusedPid.assumePidCanBeSet();
    }

    /** Starts an unrelated process with the pid of a dead one. */
    private ProcessHandle startWithPidOf(ProcessIdentity dead) {
        ProcessHandle unrelated = ReusedPid.start(
                dead, () -> workers.processes().start("sleep", "600"), ProcessHandle::pid, workers.processes()::end);
        assertThat(ProcessIdentity.of(unrelated)).as("identity differs").isNotEqualTo(dead);
        return unrelated;
    }

    private static void assertUnharmed(ProcessHandle unrelated) {
        assertThat(RealProcesses.runs(unrelated)).isTrue();
    }

    @Test
    void identityDiffersFromThatOfTheProcessThatReusesThePid() {
        WorkerProcess worker = workers.running();
        ProcessIdentity dead = worker.identity();
        workers.end(worker);

        ProcessHandle unrelated = startWithPidOf(dead);

        assertThat(dead.isAlive()).isFalse();
        assertThat(dead.hasEnded()).isTrue();
        assertThat(ProcessIdentity.ofPid(dead.pid())).hasValue(ProcessIdentity.of(unrelated));
        assertUnharmed(unrelated);
    }

    @Test
    void signalsToAnExitedWorkerDoNotReachTheReusedPid() {
        WorkerProcess worker = workers.running();
        worker.kill();
        workers.eventuallyExited(worker);
        ProcessHandle unrelated = startWithPidOf(worker.identity());

        worker.terminate();
        worker.kill();

        assertUnharmed(unrelated);
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    /**
     * The worker counts as running: its grandchild ignores SIGTERM and delays the exit, although its root has exited.
     * (The grandchild has its own session: the kernel does not reuse the root's pid while a process is left in its
     * session.)
     */
    @Test
    void killOfARemainingTreeDoesNotReachTheReusedPidOfItsRoot() {
        WorkerProcess wrapper =
                workers.shell("trap 'exit 5' TERM; (trap '' TERM; exec setsid sh -c 'echo $$; exec sleep 600') & wait");
        ProcessIdentity grandchild = workers.printedPid(wrapper);
        wrapper.terminate();
        ProcessHandle unrelated = startWithPidOf(wrapper.identity());
        assertThat(wrapper.exitStatus()).isEmpty();

        wrapper.terminate();
        assertThat(grandchild.isAlive()).isTrue();
        assertUnharmed(unrelated);
        wrapper.kill();
        workers.eventuallyExited(wrapper);

        assertThat(grandchild.isAlive()).isFalse();
        assertUnharmed(unrelated);
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(5));
    }

    @Test
    void killOfATreeDoesNotReachTheReusedPidOfAFormerChild() {
        WorkerProcess wrapper = workers.shell("sleep 600 & trap '' TERM; echo $!; while :; do wait; sleep 0.02; done");
        ProcessIdentity child = workers.printedPid(wrapper);
        wrapper.terminate(); // the child is now a known member, and exits
        ProcessHandle unrelated = startWithPidOf(child);

        wrapper.terminate();
        assertUnharmed(unrelated);
        wrapper.kill();
        workers.eventuallyExited(wrapper);

        assertUnharmed(unrelated);
        assertThat(wrapper.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    /** The JDK keeps its children by pid. */
    @Test
    void workerWithThePidOfAnEarlierOneIsIndependent() {
        WorkerProcess first = workers.shell("sleep 0.05; exit 3");
        workers.eventuallyExited(first);

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
        workers.eventuallyExited(second); // an unsure search is repeated only by a poll
        assertThat(notice).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(ExitStatus.requested(137));
        assertThat(first.exitStatus()).hasValue(ExitStatus.unrequested(3));
    }

    @Test
    void reaperKillsOrphansOfAHiveWhosePidWasReused() {
        String id = RealHives.newId();
        RealHives.Hive hive = hives.start(id, HiveMain.PLAIN);
        List<ProcessIdentity> orphans = hive.members(1);
        ProcessIdentity dead = hive.identity();
        hive.kill();
        ProcessHandle unrelated = startWithPidOf(dead);

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(report.ended()).extracting(Orphan::process).containsExactlyElementsOf(orphans);
        assertThat(orphans).noneMatch(ProcessIdentity::isAlive);
        assertUnharmed(unrelated);
    }

    /** Between the search and the kill. */
    @Test
    void reaperDoesNotKillTheReusedPidOfAnOrphan() {
        String id = RealHives.newId();
        Origin here = Origin.here(id, "w", "it.1");
        ProcessIdentity deadHive =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessMark mark = new Origin(id, deadHive, here.namespace(), "w", "it.1").mark();
        ProcessHandle orphan = workers.processes().start("env", "WORKER_REGISTRY_MARK=" + mark.value(), "sleep", "600");
        await().until(() ->
                ProcessMark.observe(orphan.pid()).mark().filter(mark::equals).isPresent());
        ProcessIdentity identity = ProcessIdentity.of(orphan);
        ProcessHandle[] unrelated = new ProcessHandle[1];

        OrphanReport report = new OrphanReaper(id, Duration.ofSeconds(20), orphans -> {
                    orphan.destroyForcibly();
                    unrelated[0] = startWithPidOf(identity);
                    return orphans.kill();
                })
                .reap();

        assertThat(report.ended()).extracting(Orphan::process).containsExactly(identity);
        assertThat(report.remaining()).isEmpty();
        assertUnharmed(unrelated[0]);
    }
}
