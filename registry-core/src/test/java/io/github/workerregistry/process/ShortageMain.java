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

/**
 * A hive in a JVM with few file descriptors, which takes all of them at the worst moments. Arguments: what to try, a
 * hive id, and a directory. Prints {@code ok} at the end; a check that fails ends it with an exception.
 */
final class ShortageMain {

    private static final int POLLS = 50;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final String hiveId;
    private final Path directory;
    private final LocalProcessController controller;
    private final DescriptorShortage shortage;

    private ShortageMain(String hiveId, Path directory, DescriptorShortage shortage) {
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
        if (args[0].equals("a hive that begins amid it")) {
            beginAmidIt(args[1], shortage);
        } else if (args[0].equals("directories of dead hives")) {
            directoriesOfDeadHives(args[1], Path.of(args[2]), shortage);
        } else {
            new ShortageMain(args[1], Path.of(args[2]), shortage).run(args[0]);
        }
        OUT.println("ok");
        System.exit(0);
    }

    private void run(String what) throws Exception {
        switch (what) {
            case "a worker that runs" -> aWorkerThatRuns();
            case "a worker that is terminated" -> aWorkerThatIsTerminated();
            case "a worker that is killed" -> aWorkerThatIsKilled();
            case "a tree that is killed" -> aTreeThatIsKilled();
            case "a worker that ends" -> aWorkerThatEnds("");
            case "a worker that leaves a child" -> aWorkerThatEnds("setsid sleep 600 & ");
            case "a worker whose identity is not seen" -> aWorkerWhoseIdentityIsNotSeen("sleep", "600");
            case "a worker without mark whose identity is not seen" ->
                aWorkerWhoseIdentityIsNotSeen("env", "-i", "sleep", "600");
            case "a start" -> aStart();
            case "descriptors that come and go" -> descriptorsThatComeAndGo();
            case "orphans" -> orphans();
            case "orphans that are found" -> orphansThatAreFound();
            default -> throw new IllegalArgumentException(what);
        }
    }

    private void aWorkerThatRuns() {
        WorkerProcess worker = start("sleep", "600");

        shortage.begin();
        neverEnded(worker);
        shortage.end();
        neverEnded(worker);

        worker.kill();
        eventuallyEnded(worker, ExitStatus.requested(137));
    }

    /** It is asked once in the end, though it was tried at every poll. */
    private void aWorkerThatIsTerminated() {
        WorkerProcess worker =
                shell("trap 'echo asked' TERM; trap 'exit 7' USR1; echo ready; while :; do sleep 0.02; done");
        eventually(() -> worker.outputTail(1).equals(List.of("ready")));

        shortage.begin();
        worker.terminate();
        neverEnded(worker);
        shortage.end();
        check(worker.outputTail(9).equals(List.of("ready")), "no signal came through");

        eventually(() -> {
            neverEnded(worker);
            return worker.outputTail(9).contains("asked");
        });
        neverEnded(worker);
        run("kill", "-USR1", Long.toString(worker.identity().pid()));
        eventuallyEnded(worker, ExitStatus.requested(7));
        check(
                worker.outputTail(9).stream().filter("asked"::equals).count() == 1,
                "asked once: " + worker.outputTail(9));
    }

    private void aWorkerThatIsKilled() {
        WorkerProcess worker = start("sleep", "600");

        shortage.begin();
        worker.terminate();
        worker.kill();
        neverEnded(worker);
        shortage.end();

        eventuallyEnded(worker, ExitStatus.requested(137));
    }

    /** The child was unknown when the signals were to be sent, and its environment is empty. */
    private void aTreeThatIsKilled() {
        WorkerProcess worker = shell("env -i setsid sh -c 'echo $$; exec sleep 600' & wait");
        ProcessIdentity child = printed(worker);

        shortage.begin();
        worker.kill();
        neverEnded(worker);
        shortage.end();

        eventuallyEnded(worker, ExitStatus.requested(137));
        check(child.hasEnded(), "its child has gone");
    }

    private void aWorkerThatEnds(String before) throws IOException {
        Path flag = Files.createFile(directory.resolve("flag"));
        WorkerProcess worker = shell(before + "echo $$; while [ -e " + flag + " ]; do sleep 0.02; done; exit 3");
        ProcessIdentity root = printed(worker);

        shortage.begin();
        Files.delete(flag); // takes no descriptor
        eventually(root::hasEnded);
        neverEnded(worker);
        shortage.end();

        eventuallyEnded(worker, ExitStatus.unrequested(3));
        check(nothingIsLeft(), "nothing is left");
    }

    private void aWorkerWhoseIdentityIsNotSeen(String... command) {
        OutputSource none = workerId -> new UnrecordedOutput(Redirect.DISCARD); // frees no descriptor after the start
        LocalProcessController late = new LocalProcessController(hiveId, none, OwnSession.ofThisSystem(), builder -> {
            Process started = builder.start();
            shortage.begin();
            return started;
        });
        WorkerProcess worker = late.start(spec(command));
        check(worker.identity().startTime() == 0, "the start time could not be read");
        check(worker.identity().pid() > 0, "the pid is known");
        neverEnded(worker);
        worker.terminate();
        neverEnded(worker);
        shortage.end();

        check(worker.identity().startTime() > 0, "the start time is known by now");
        eventuallyEnded(worker, ExitStatus.requested(143));
    }

    private void aStart() {
        shortage.begin();
        try {
            start("sleep", "600");
            throw new AssertionError("expected a SpawnException");
        } catch (SpawnException e) {
            shortage.end();
        }
        check(nothingIsLeft(), "nothing is left");
        WorkerProcess worker = start("sleep", "600");
        worker.kill();
        eventuallyEnded(worker, ExitStatus.requested(137));
    }

    /** Any look and any signal may fail, or not. */
    private void descriptorsThatComeAndGo() throws InterruptedException {
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
                neverEnded(worker);
            }
            worker.terminate();
            for (int i = 0; i < 20; i++) {
                neverEnded(worker);
            }
            worker.kill();
            eventually(() -> worker.exitStatus().isPresent());
            check(!Files.exists(Path.of("/proc/" + child.pid())) || child.hasEnded(), "the child went first");
        } finally {
            taker.interrupt();
            taker.join();
        }
        shortage.end();
        check(worker.exitStatus().orElseThrow().requested(), "the exit was requested");
        check(nothingIsLeft(), "nothing is left");
    }

    private void orphans() {
        Process orphan = markedProcess();

        shortage.begin();
        OrphanReport report = OrphanReaper.of(hiveId, Duration.ofMillis(200)).reap();
        check(report.equals(new OrphanReport(true, List.of(), List.of())), "nothing is told of what was not seen");
        shortage.end();
        check(orphan.isAlive(), "nobody was killed");

        report = OrphanReaper.of(hiveId).reap();
        check(report.ended().size() == 1, "the orphan is reaped: " + report);
        eventually(() -> !orphan.isAlive());
    }

    /** Between the search and the kill. */
    private void orphansThatAreFound() {
        Process orphan = markedProcess();
        OrphanReport report = new OrphanReaper(hiveId, Duration.ofSeconds(20), orphans -> {
                    shortage.begin();
                    boolean sent = orphans.kill();
                    check(!sent && orphan.isAlive(), "the signal did not come through");
                    check(orphans.areAlive() && !orphans.areGone(), "nothing follows from that");
                    check(orphans.ended().isEmpty(), "none has ended");
                    shortage.end();
                    return orphans.kill();
                })
                .reap();

        check(report.ended().size() == 1 && report.remaining().isEmpty(), "the orphan is reaped: " + report);
        eventually(() -> !orphan.isAlive());
    }

    /** What is read once for all cannot be read then. */
    private static void beginAmidIt(String hiveId, DescriptorShortage shortage) {
        check(UUID.randomUUID() != null, "the JDK's random numbers, which it opens files for");
        LocalProcessController.builder().hiveId(hiveId); // and classes that every hive has loaded by then
        shortage.begin();
        LocalProcessController controller =
                LocalProcessController.builder().hiveId(hiveId).discardOutput().build();
        OrphanReport report = OrphanReaper.of(hiveId, Duration.ofMillis(50)).reap();
        check(report.supported(), "reaping is supported all the same");
        check(ProcessIdentity.of(ProcessHandle.current()).startTime() == 0, "the start time cannot be read");
        try {
            controller.start(new ProcessSpec("w", List.of("sleep", "600"), Map.of(), Optional.empty()));
            throw new AssertionError("expected a SpawnException");
        } catch (SpawnException e) {
            shortage.end();
        }

        WorkerProcess worker =
                controller.start(new ProcessSpec("w", List.of("sleep", "600"), Map.of(), Optional.empty()));
        ProcessMark mark = ProcessMark.lookAt(worker.identity().pid()).mark().orElseThrow();
        Origin origin = Origin.of(mark).orElseThrow();
        check(origin.hive().startTime() > 0, "the worker can be reaped later: " + origin);
        check(!origin.hive().bootId().isEmpty(), "after a reboot, too: " + origin);
        check(!origin.isOrphaned(), "its hive is this JVM");
        worker.kill();
        eventuallyEnded(worker, ExitStatus.requested(137));
    }

    /** The report of the reaper was lost if the parent could be opened, and the id of this boot could not be read. */
    private static void directoriesOfDeadHives(String hiveId, Path parent, DescriptorShortage shortage)
            throws IOException {
        AbandonedDirectories.remove(parent, hiveId); // a first time, for the classes of the JDK
        Path left = Files.createDirectory(parent.resolve("worker-registry-" + Integer.toHexString(hiveId.hashCode())
                + "-" + Proc.pidNamespace() + "-99999999-1-x")); // no process has a pid that high
        shortage.begin();
        for (int free = 1; free <= 3; free++) { // two or three for the parent, none for the id
            shortage.leave(shortage.size() - 1);
            AbandonedDirectories.remove(parent, hiveId);
            check(Files.exists(left), "nothing follows from what cannot be read");
        }
        shortage.end();

        AbandonedDirectories.remove(parent, hiveId);
        check(!Files.exists(left), "it is removed");
    }

    /** As a dead hive of this id has left it. */
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

    /** Nothing on this machine bears a mark of this hive. */
    private boolean nothingIsLeft() {
        ProcessTree left = new ProcessTree(
                mark -> Origin.of(mark)
                        .filter(origin -> origin.hiveId().equals(hiveId))
                        .isPresent(),
                Set.of());
        eventually(() -> left.search() == ProcessTree.Search.COMPLETE);
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

    private static void neverEnded(WorkerProcess worker) {
        for (int i = 0; i < POLLS; i++) {
            check(worker.exitStatus().isEmpty(), "no exit");
        }
        check(!worker.onExit().toCompletableFuture().isDone(), "no notice");
    }

    private static void eventuallyEnded(WorkerProcess worker, ExitStatus status) {
        eventually(() -> worker.exitStatus().isPresent());
        check(worker.exitStatus().equals(Optional.of(status)), status + ", but it was " + worker.exitStatus());
    }

    private static void eventually(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            check(System.nanoTime() < deadline, "it to come in time");
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    private static void check(boolean holds, String expectation) {
        if (!holds) {
            throw new AssertionError("expected: " + expectation);
        }
    }
}
