package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static io.github.workerregistry.lifecycle.RealHive.stateOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.process.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The JVM of {@link SupervisingMain}. It and its workers are killed after the test. */
final class ChildHive implements AfterEachCallback {

    private static final String TEMPORARY_FILES = "-Djava.io.tmpdir=";

    private final Path output;
    private final List<ProcessHandle> started = new ArrayList<>();

    ChildHive(Path directory) {
        output = directory.resolve("hive.out");
    }

    /**
     * Starts it and waits until its workers run. Its temporary files are deleted after the test, because it may be
     * killed.
     */
    ProcessHandle start(String urlOfItsWorkers) {
        List<String> command = ChildJvm.command(SupervisingMain.class, urlOfItsWorkers);
        command.replaceAll(
                option -> option.startsWith(TEMPORARY_FILES) ? TEMPORARY_FILES + output.getParent() : option);
        ProcessHandle jvm;
        try {
            jvm = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start()
                    .toHandle();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        started.add(jvm);
        eventuallyPrinted("ready");
        started.addAll(workers().toList());
        return jvm;
    }

    /** The workers, in the order in which they were spawned. All are alive when the hive is ready. */
    private Stream<ProcessHandle> workers() {
        return printed().stream()
                .filter(line -> line.startsWith("pid "))
                .map(line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
                .flatMap(pid -> ProcessHandle.of(pid).stream());
    }

    /** The pids of its workers, in the order in which they were spawned. */
    List<Long> pids() {
        return started.stream().skip(1).map(ProcessHandle::pid).toList();
    }

    long pid(String worker) {
        String start = "pid " + worker + " ";
        return printed().stream()
                .filter(line -> line.startsWith(start))
                .map(line -> Long.parseLong(line.substring(start.length())))
                .findFirst()
                .orElseThrow();
    }

    List<String> printed() {
        return RealHive.wholeLinesOf(output);
    }

    void eventuallyPrinted(String line) {
        eventually().alias(line + " in " + output).until(() -> printed().contains(line));
    }

    /** Suspends the JVM, but not its workers. */
    void suspend() {
        signal("STOP");
        eventually().until(() -> stateOf(jvm().pid()) == 'T');
    }

    void resume() {
        signal("CONT");
    }

    void signal(String name) {
        signal(name, List.of(jvm().pid()));
    }

    /** The workers first, but all at once. */
    void signalWorkersAndHive(String name) {
        signal(name, Stream.concat(pids().stream(), Stream.of(jvm().pid())).toList());
    }

    private static void signal(String name, List<Long> pids) {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name));
        pids.forEach(pid -> command.add(Long.toString(pid)));
        try {
            Process kill = new ProcessBuilder(command).start();
            assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(kill.exitValue()).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private ProcessHandle jvm() {
        return started.get(0);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        List<ProcessHandle> all = new ArrayList<>(started);
        started.forEach(
                process -> process.descendants().forEach(all::add)); // before the JVM exits, or they are orphans
        all.forEach(ProcessHandle::destroyForcibly);
        eventually().until(() -> all.stream().noneMatch(process -> isRunning(process.pid())));
    }
}
