package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Workers that are real processes, with methods to wait for them. All are killed after the test, passed or failed. */
final class RealWorkers implements AfterEachCallback {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(20);

    private final LocalProcessController controller;
    private final RealProcesses processes = new RealProcesses();
    private final List<WorkerProcess> started = new CopyOnWriteArrayList<>();

    RealWorkers(Path logs) {
        this.controller = LocalProcessController.builder().outputDirectory(logs).build();
    }

    LocalProcessController controller() {
        return controller;
    }

    RealProcesses processes() {
        return processes;
    }

    WorkerProcess running() {
        return start("sleep", "600");
    }

    WorkerProcess shell(String script) {
        return start("sh", "-c", script);
    }

    /** Prints the lines and keeps running. */
    WorkerProcess printing(String... lines) {
        return shell("printf '%s\\n' '" + String.join("' '", lines) + "'; exec sleep 600");
    }

    WorkerProcess start(String... command) {
        return start(spec("w", command));
    }

    WorkerProcess start(ProcessSpec spec) {
        return start(controller, spec);
    }

    WorkerProcess start(ProcessController by, ProcessSpec spec) {
        WorkerProcess process = by.start(spec);
        started.add(process);
        handleOf(process.identity()).ifPresent(processes::watch);
        return process;
    }

    static ProcessSpec spec(String workerId, String... command) {
        return new ProcessSpec(workerId, List.of(command), Map.of(), Optional.empty());
    }

    static ProcessSpec unstartable() {
        return spec("w", "/no/such/program");
    }

    void end(WorkerProcess process) {
        process.kill();
        eventuallyExited(process);
        process.release();
    }

    void eventually(BooleanSupplier condition) {
        await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(POLL).until(condition::getAsBoolean);
    }

    void eventuallyExited(WorkerProcess process) {
        eventually(() -> process.exitStatus().isPresent());
    }

    void eventuallyPrinted(WorkerProcess process, String line) {
        eventually(() -> process.outputTail(1).contains(line));
    }

    /** The live process whose pid is the last line of the output. */
    ProcessIdentity printedPid(WorkerProcess process) {
        eventually(() -> !process.outputTail(1).isEmpty());
        long pid = Long.parseLong(process.outputTail(1).get(0));
        ProcessIdentity identity = ProcessIdentity.of(processes.watch(pid));
        assertThat(identity.isAlive()).isTrue();
        return identity;
    }

    /** A signal that is not sent by the controller. */
    void signal(String name, WorkerProcess process) {
        processes.start("kill", "-" + name, Long.toString(process.identity().pid()));
    }

    void suspend(WorkerProcess process) {
        signal("STOP", process);
        eventually(() -> Proc.stat(process.identity().pid())
                .value()
                .filter(stat -> stat.state() == 'T')
                .isPresent());
    }

    /** To kill it without the controller. */
    ProcessHandle handleOf(WorkerProcess process) {
        return handleOf(process.identity()).orElseThrow();
    }

    private static Optional<ProcessHandle> handleOf(ProcessIdentity identity) {
        return ProcessHandle.of(identity.pid())
                .filter(handle -> ProcessIdentity.of(handle).equals(identity));
    }

    /** The target of a file descriptor of the process. */
    static Path target(WorkerProcess process, int descriptor) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + process.identity().pid() + "/fd/" + descriptor));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        started.forEach(WorkerProcess::kill);
        try {
            started.forEach(this::end);
        } finally {
            processes.afterEach(context);
        }
    }
}
