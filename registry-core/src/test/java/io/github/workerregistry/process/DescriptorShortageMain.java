package io.github.workerregistry.process;

import static io.github.workerregistry.process.HiveMain.OUT;

import io.github.workerregistry.ExitStatus;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A hive in a JVM with few file descriptors, which are used up at critical times. Arguments: the scenario, a hive id,
 * and a directory. Prints {@code ok} at the end; a failed check ends it with an exception.
 */
final class DescriptorShortageMain {

    private static final int POLLS = 50;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final String hiveId;
    private final Path directory;
    private final LocalProcessController controller;
    private final DescriptorShortage shortage;

    private DescriptorShortageMain(String hiveId, Path directory, DescriptorShortage shortage) {
        this.hiveId = hiveId;
        this.directory = directory;
        this.controller = LocalProcessController.builder()
                .hiveId(hiveId)
                .outputDirectory(directory)
                .build();
        this.shortage = shortage;
    }

    public static void main(String[] args) throws Exception {
        DescriptorShortage shortage = new DescriptorShortage();
        check(new SpawnException(List.of("warm"), "up", null).command() != null, "classes that every hive has loaded");
        if (args[0].equals("start of a hive")) {
            startOfAHive(args[1], shortage);
        } else if (args[0].equals("directories of dead hives")) {
            directoriesOfDeadHives(args[1], Path.of(args[2]), shortage);
        } else {
            new DescriptorShortageMain(args[1], Path.of(args[2]), shortage).run(args[0]);
        }
        OUT.println("ok");
        System.exit(0);
    }

    private void run(String scenario) throws Exception {
        switch (scenario) {
            case "running worker" -> runningWorker();
            case "terminated worker" -> terminatedWorker();
            case "killed worker" -> killedWorker();
            case "killed tree" -> killedTree();
            case "worker that exits" -> workerThatExits("");
            case "worker that exits and leaves a child" -> workerThatExits("setsid sleep 600 & ");
            case "worker with an unreadable identity" ->
                endWithUnreadableIdentity(WorkerProcess::terminate, 143, "sleep", "600");
            case "worker without mark and with an unreadable identity" ->
                endWithUnreadableIdentity(WorkerProcess::terminate, 143, "env", "-i", "sleep", "600");
            case "killed worker without mark and with an unreadable identity" ->
                endWithUnreadableIdentity(WorkerProcess::kill, 137, "env", "-i", "sleep", "600");
            case "start" -> failedStart();
            case "intermittent shortage" -> intermittentShortage();
            case "orphans" -> orphans();
            case "found orphans" -> foundOrphans();
            default -> throw new IllegalArgumentException(scenario);
        }
    }

    private void runningWorker() {
        WorkerProcess worker = start("sleep", "600");

        shortage.begin();
        assertNotExited(worker);
        shortage.end();
        assertNotExited(worker);

        worker.kill();
        eventuallyExited(worker, ExitStatus.requested(137));
    }

    /** It receives one signal in the end, although every poll tried to send it. */
    private void terminatedWorker() {
        WorkerProcess worker =
                shell("trap 'echo terminated' TERM; trap 'exit 7' USR1; echo ready; while :; do sleep 0.02; done");
        eventually(() -> worker.outputTail(1).equals(List.of("ready")));

        shortage.begin();
        worker.terminate();
        assertNotExited(worker);
        shortage.end();
        check(worker.outputTail(9).equals(List.of("ready")), "no signal is delivered");

        eventually(() -> {
            assertNotExited(worker);
            return worker.outputTail(9).contains("terminated");
        });
        assertNotExited(worker);
        run("kill", "-USR1", Long.toString(worker.identity().pid()));
        eventuallyExited(worker, ExitStatus.requested(7));
        check(
                worker.outputTail(9).stream().filter("terminated"::equals).count() == 1,
                "terminated once: " + worker.outputTail(9));
    }

    private void killedWorker() {
        WorkerProcess worker = start("sleep", "600");

        shortage.begin();
        worker.terminate();
        worker.kill();
        assertNotExited(worker);
        shortage.end();

        eventuallyExited(worker, ExitStatus.requested(137));
    }

    /** The child was not known when the signals were due, and its environment is empty. */
    private void killedTree() {
        WorkerProcess worker = shell("env -i setsid sh -c 'echo $$; exec sleep 600' & wait");
        ProcessIdentity child = printed(worker);

        shortage.begin();
        worker.kill();
        assertNotExited(worker);
        shortage.end();

        eventuallyExited(worker, ExitStatus.requested(137));
        check(child.hasEnded(), "the child has exited");
    }

    private void workerThatExits(String before) throws IOException {
        Path flag = Files.createFile(directory.resolve("flag"));
        WorkerProcess worker = shell(before + "echo $$; while [ -e " + flag + " ]; do sleep 0.02; done; exit 3");
        ProcessIdentity root = printed(worker);

        shortage.begin();
        Files.delete(flag); // uses no descriptor
        eventually(root::hasEnded);
        assertNotExited(worker);
        shortage.end();

        eventuallyExited(worker, ExitStatus.unrequested(3));
        check(noMarkedProcessIsLeft(), "no marked process is left");
    }

    private void endWithUnreadableIdentity(Consumer<WorkerProcess> end, int code, String... command) {
        OutputSource none = workerId -> new UnrecordedOutput(Redirect.DISCARD); // frees no descriptor after the start
        LocalProcessController late = new LocalProcessController(hiveId, none, OwnSession.ofThisSystem(), builder -> {
            Process started = builder.start();
            shortage.begin();
            return started;
        });
        WorkerProcess worker = late.start(spec(command));
        check(worker.identity().startTime() == 0, "the start time could not be read");
        check(worker.identity().pid() > 0, "the pid is known");
        assertNotExited(worker);
        end.accept(worker);
        assertNotExited(worker);
        shortage.end();

        check(worker.identity().startTime() > 0, "the start time is known");
        eventuallyExited(worker, ExitStatus.requested(code));
    }

    private void failedStart() {
        shortage.begin();
        try {
            start("sleep", "600");
            throw new AssertionError("expected a SpawnException");
        } catch (SpawnException e) {
            shortage.end();
        }
        check(noMarkedProcessIsLeft(), "no marked process is left");
        WorkerProcess worker = start("sleep", "600");
        worker.kill();
        eventuallyExited(worker, ExitStatus.requested(137));
    }

    /** Any read and any signal may fail, or not. */
    private void intermittentShortage() throws InterruptedException {
        WorkerProcess worker =
                shell("(trap '' TERM; exec setsid sh -c 'echo $$; exec sleep 600') & trap 'exit 5' TERM; wait");
        ProcessIdentity child = printed(worker);
        shortage.begin();
        shortage.leave(shortage.size() - 2);
        Thread taker = new Thread(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                try (var one = Files.newInputStream(Path.of("/dev/null"));
                        var two = Files.newInputStream(Path.of("/dev/null"))) {
                    Thread.onSpinWait();
                } catch (IOException e) {
                    Thread.onSpinWait();
                }
            }
        });
        taker.start();
        try {
            for (int i = 0; i < 20; i++) {
                assertNotExited(worker);
            }
            worker.terminate();
            for (int i = 0; i < 20; i++) {
                assertNotExited(worker);
            }
            worker.kill();
            eventually(() -> worker.exitStatus().isPresent());
            check(livenessOf(child) == Liveness.ENDED, "the child exited first");
        } finally {
            taker.interrupt();
            taker.join();
        }
        shortage.end();
        check(worker.exitStatus().orElseThrow().requested(), "the exit was requested");
        check(noMarkedProcessIsLeft(), "no marked process is left");
    }

    private void orphans() {
        Process orphan = markedProcess();

        shortage.begin();
        OrphanReport report = OrphanReaper.of(hiveId, Duration.ofMillis(200)).reap();
        check(report.equals(new OrphanReport(true, List.of(), List.of())), "the report is empty");
        shortage.end();
        check(orphan.isAlive(), "the orphan is not killed");

        report = OrphanReaper.of(hiveId).reap();
        check(report.ended().size() == 1, "the orphan is reaped: " + report);
        eventually(() -> !orphan.isAlive());
    }

    /** Between the search and the kill. */
    private void foundOrphans() {
        Process orphan = markedProcess();
        OrphanReport report = new OrphanReaper(hiveId, Duration.ofSeconds(20), orphans -> {
                    shortage.begin();
                    boolean sent = orphans.kill();
                    check(!sent && orphan.isAlive(), "the signal is not delivered");
                    check(orphans.anyAlive() && !orphans.allExited(), "the orphan still counts as alive");
                    check(orphans.ended().isEmpty(), "no orphan counts as exited");
                    shortage.end();
                    return orphans.kill();
                })
                .reap();

        check(report.ended().size() == 1 && report.remaining().isEmpty(), "the orphan is reaped: " + report);
        eventually(() -> !orphan.isAlive());
    }

    /** Values that are read only once cannot be read at that time. */
    private static void startOfAHive(String hiveId, DescriptorShortage shortage) {
        check(UUID.randomUUID() != null, "the JDK opens files for random numbers");
        LocalProcessController.builder().hiveId(hiveId); // and classes that every hive has loaded before
        shortage.begin();
        LocalProcessController controller =
                LocalProcessController.builder().hiveId(hiveId).discardOutput().build();
        OrphanReport report = OrphanReaper.of(hiveId, Duration.ofMillis(50)).reap();
        check(report.supported(), "reaping is supported");
        check(ProcessIdentity.of(ProcessHandle.current()).startTime() == 0, "the start time cannot be read");
        try {
            controller.start(new ProcessSpec("w", List.of("sleep", "600"), Map.of(), Optional.empty()));
            throw new AssertionError("expected a SpawnException");
        } catch (SpawnException e) {
            shortage.end();
        }

        WorkerProcess worker =
                controller.start(new ProcessSpec("w", List.of("sleep", "600"), Map.of(), Optional.empty()));
        ProcessMark mark = ProcessMark.observe(worker.identity().pid()).mark().orElseThrow();
        Origin origin = Origin.of(mark).orElseThrow();
        check(origin.hive().startTime() > 0, "the worker can be reaped later: " + origin);
        check(!origin.hive().bootId().isEmpty(), "also after a reboot: " + origin);
        check(!origin.isOrphaned(), "its hive is this JVM");
        worker.kill();
        eventuallyExited(worker, ExitStatus.requested(137));
    }

    /**
     * Regression: the report of the reaper was lost if the parent could be opened but the boot id could not be read.
     */
    private static void directoriesOfDeadHives(String hiveId, Path parent, DescriptorShortage shortage)
            throws IOException {
        AbandonedDirectories.remove(parent, hiveId); // once, to load classes of the JDK
        Path left = Files.createDirectory(parent.resolve("worker-registry-" + Integer.toHexString(hiveId.hashCode())
                + "-" + Proc.pidNamespace() + "-99999999-1-x")); // no process has a pid that high
        shortage.begin();
        for (int free = 1; free <= 3; free++) { // two or three for the parent, none for the boot id
            shortage.leave(shortage.size() - 1);
            AbandonedDirectories.remove(parent, hiveId);
            check(Files.exists(left), "the unreadable directory is kept");
        }
        shortage.end();

        AbandonedDirectories.remove(parent, hiveId);
        check(!Files.exists(left), "it is removed");
    }

    /** As left behind by a dead hive of this id. */
    private Process markedProcess() {
        Origin here = Origin.here(hiveId, "w", "shortage.1");
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessMark mark = new Origin(hiveId, dead, here.namespace(), "w", "shortage.1").mark();
        ProcessBuilder builder = new ProcessBuilder("sleep", "600");
        mark.putInto(builder.environment());
        try {
            return builder.start();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Whether no process on this machine has a mark of this hive. */
    private boolean noMarkedProcessIsLeft() {
        ProcessTree left = new ProcessTree(
                mark -> Origin.of(mark)
                        .filter(origin -> origin.hiveId().equals(hiveId))
                        .isPresent(),
                Set.of());
        eventually(() -> left.search() == TreeSearch.Result.COMPLETE);
        return !left.isAlive();
    }

    private WorkerProcess start(String... command) {
        return controller.start(spec(command));
    }

    private WorkerProcess shell(String script) {
        return start("sh", "-c", script);
    }

    private static ProcessSpec spec(String... command) {
        return new ProcessSpec("w", List.of(command), Map.of(), Optional.empty());
    }

    private static void run(String... command) {
        try {
            check(new ProcessBuilder(command).start().waitFor() == 0, String.join(" ", command));
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static ProcessIdentity printed(WorkerProcess worker) {
        eventually(() -> !worker.outputTail(1).isEmpty());
        return ProcessIdentity.ofPid(Long.parseLong(worker.outputTail(1).get(0)))
                .orElseThrow();
    }

    /** A zombie is seen only by a read that does not fail. */
    private static Liveness livenessOf(ProcessIdentity process) {
        Liveness liveness = process.liveness();
        while (liveness == Liveness.UNKNOWN) {
            liveness = process.liveness();
        }
        return liveness;
    }

    private static void assertNotExited(WorkerProcess worker) {
        for (int i = 0; i < POLLS; i++) {
            check(worker.exitStatus().isEmpty(), "no exit");
        }
        check(!worker.onExit().toCompletableFuture().isDone(), "onExit is not complete");
    }

    private static void eventuallyExited(WorkerProcess worker, ExitStatus status) {
        eventually(() -> worker.exitStatus().isPresent());
        check(worker.exitStatus().equals(Optional.of(status)), status + ", but it was " + worker.exitStatus());
    }

    private static void eventually(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            check(System.nanoTime() < deadline, "the condition becomes true in time");
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    private static void check(boolean holds, String expectation) {
        if (!holds) {
            throw new AssertionError("expected: " + expectation);
        }
    }
}
