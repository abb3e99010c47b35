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

/** A process whose first thread has ended shows neither environment nor program, and runs on, with its ports. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class HeadlessIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path directory;
    private String program = "";

    HeadlessIT(@TempDir Path directory) {
        this.directory = directory;
        this.workers = new RealWorkers(directory);
    }

    @BeforeEach
    void makeTheProgram() throws IOException {
        program = HeadlessProgram.in(directory).toString();
    }

    /** It was overlooked: the exit of the worker was given, and the daemon stayed for ever. */
    @Test
    void aDaemonOfAWorkerIsFoundByAnyOfItsThreads() {
        WorkerProcess worker =
                workers.shell("setsid sh -c 'sh -c \"echo \\$\\$; exec " + program + "\" &'; sleep 600 & wait");
        ProcessIdentity daemon = printedHeadless(worker);

        workers.handleOf(worker).destroyForcibly();
        workers.eventuallyEnded(worker);

        assertThat(daemon.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void aDaemonOfAWorkerIsAskedToEndToo() {
        WorkerProcess worker =
                workers.shell("setsid sh -c 'sh -c \"echo \\$\\$; exec " + program + "\" &'; sleep 600 & wait");
        ProcessIdentity daemon = printedHeadless(worker);

        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(daemon.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void aWorkerWhoseFirstThreadHasEndedRunsUntilItIsEnded() {
        WorkerProcess worker = workers.start(program);
        awaitHeadless(worker.identity());

        assertThat(worker.exitStatus()).isEmpty();
        assertThat(worker.identity().isAlive()).isTrue();
        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void anOrphanIsFoundByAnyOfItsThreads() {
        String id = RealHives.newId();
        Origin here = Origin.here(id, "w", "it.1");
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessMark mark = new Origin(id, dead, here.namespace(), "w", "it.1").mark();
        ProcessHandle orphan = workers.processes().start("env", "WORKER_REGISTRY_MARK=" + mark.value(), program);
        ProcessIdentity identity = ProcessIdentity.of(orphan);
        awaitHeadless(identity);
        assertThat(ProcessMark.lookAt(orphan.pid())).isEqualTo(new ProcessMark.Look(true, Optional.of(mark)));

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(report.ended()).extracting(Orphan::process).containsExactly(identity);
        assertThat(identity.isAlive()).isFalse();
    }

    @Test
    void oneWithoutAnyEnvironmentLeavesNoDoubt() {
        ProcessHandle empty = workers.processes().start("env", "-i", program);
        awaitHeadless(ProcessIdentity.of(empty));

        await().untilAsserted(() -> assertThat(ProcessMark.lookAt(empty.pid())).isEqualTo(ProcessMark.Look.UNMARKED));
        assertThat(new ProcessTree(new ProcessMark("nobody's")).search()).isEqualTo(ProcessTree.Search.COMPLETE);
    }

    private ProcessIdentity printedHeadless(WorkerProcess worker) {
        ProcessIdentity process = workers.printedPid(worker);
        awaitHeadless(process);
        return process;
    }

    private static void awaitHeadless(ProcessIdentity process) {
        await().until(() -> Proc.stat(process.pid())
                .value()
                .filter(stat -> stat.state() == 'Z' && stat.threads() == 2)
                .isPresent());
    }
}
