package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.OrphanReport.Orphan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A process whose first thread has ended shows neither environment nor program, but keeps running, with its ports. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class EndedFirstThreadIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path directory;
    private String program = "";

    EndedFirstThreadIT(@TempDir Path directory) {
        this.directory = directory;
        this.workers = new RealWorkers(directory);
    }

    @BeforeEach
    void createProgram() throws IOException {
        program = EndedFirstThreadProgram.in(directory).toString();
    }

    /** Regression: it was missed. The exit of the worker was reported, and the daemon kept running. */
    @Test
    void daemonOfAWorkerIsFoundByAnyOfItsThreads() {
        WorkerProcess worker =
                workers.shell("setsid sh -c 'sh -c \"echo \\$\\$; exec " + program + "\" &'; sleep 600 & wait");
        ProcessIdentity daemon = printedWithEndedFirstThread(worker);

        workers.handleOf(worker).destroyForcibly();
        workers.eventuallyExited(worker);

        assertThat(daemon.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void daemonOfAWorkerIsTerminatedToo() {
        WorkerProcess worker =
                workers.shell("setsid sh -c 'sh -c \"echo \\$\\$; exec " + program + "\" &'; sleep 600 & wait");
        ProcessIdentity daemon = printedWithEndedFirstThread(worker);

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(daemon.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void workerWhoseFirstThreadHasEndedCountsAsRunning() {
        WorkerProcess worker = workers.start(program);
        awaitEndOfFirstThread(worker.identity());

        assertThat(worker.exitStatus()).isEmpty();
        assertThat(worker.identity().isAlive()).isTrue();
        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void orphanIsFoundByAnyOfItsThreads() {
        String id = RealHives.newId();
        Origin here = Origin.here(id, "w", "it.1");
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessMark mark = new Origin(id, dead, here.namespace(), "w", "it.1").mark();
        ProcessHandle orphan = workers.processes().start("env", "WORKER_REGISTRY_MARK=" + mark.value(), program);
        ProcessIdentity identity = ProcessIdentity.of(orphan);
        awaitEndOfFirstThread(identity);
        assertThat(ProcessMark.observe(orphan.pid())).isEqualTo(new ProcessMark.Observation(true, Optional.of(mark)));

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(report.ended()).extracting(Orphan::process).containsExactly(identity);
        assertThat(identity.isAlive()).isFalse();
    }

    @Test
    void markOfAProcessWithoutEnvironmentIsSurelyAbsent() {
        ProcessHandle empty = workers.processes().start("env", "-i", program);
        awaitEndOfFirstThread(ProcessIdentity.of(empty));

        await().untilAsserted(
                        () -> assertThat(ProcessMark.observe(empty.pid())).isEqualTo(ProcessMark.Observation.UNMARKED));
        assertThat(new ProcessTree(new ProcessMark("unused")).search()).isEqualTo(TreeSearch.Result.COMPLETE);
    }

    private ProcessIdentity printedWithEndedFirstThread(WorkerProcess worker) {
        ProcessIdentity process = workers.printedPid(worker);
        awaitEndOfFirstThread(process);
        return process;
    }

    private static void awaitEndOfFirstThread(ProcessIdentity process) {
        await().until(() -> Proc.stat(process.pid())
                .value()
                .filter(stat -> stat.state() == 'Z' && stat.threads() == 2)
                .isPresent());
    }
}
