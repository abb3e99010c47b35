package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Hives in their own JVMs, and their processes. All are killed after the test, passed or failed. */
final class RealHives implements AfterEachCallback {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path directory;
    private final RealProcesses processes = new RealProcesses();
    private final List<Hive> started = new ArrayList<>();

    RealHives(Path directory) {
        this.directory = directory;
    }

    RealProcesses processes() {
        return processes;
    }

    /** A hive id that is unique on this machine. */
    static String newId() {
        return "it " + UUID.randomUUID();
    }

    /** A hive whose workers are all running: see {@link HiveMain}. */
    Hive start(String id, String... workers) {
        Hive hive = launch(List.of(), id, workers);
        hive.eventuallyPrinted("ready");
        return hive;
    }

    /** A hive that stays a zombie after its exit. */
    Hive startUnderANonReapingParent(String id, String... workers) {
        Hive hive = launch(List.of("sh", "-c", "\"$@\" & exec sleep 600", "parent"), id, workers);
        hive.eventuallyPrinted("ready");
        return hive;
    }

    private Hive launch(List<String> wrapper, String id, String... workers) {
        Path home = directory.resolve("hive-" + started.size());
        List<String> args = new ArrayList<>(List.of(id, home.toString()));
        args.addAll(List.of(workers));
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(ChildJvm.command(HiveMain.class, args.toArray(String[]::new)));
        Hive hive = new Hive(home, startInto(home.resolve("hive.out"), Map.of(), command));
        started.add(hive);
        return hive;
    }

    /** A JVM that reaps once the hive of its mark is dead, and prints its report into the file. */
    ProcessHandle startReaping(String id, ProcessMark mark, Path output) {
        Map<String, String> environment = Map.of("WORKER_REGISTRY_MARK", mark.value());
        return startInto(output, environment, ChildJvm.command(ReapingMain.class, id));
    }

    private ProcessHandle startInto(Path output, Map<String, String> environment, List<String> command) {
        try {
            Files.createDirectories(output.getParent());
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(Redirect.from(Redirect.DISCARD.file()));
            builder.environment().putAll(environment);
            return processes.watch(builder.start().toHandle());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void eventuallyPrinted(Path output, String line) {
        await().atMost(PATIENCE)
                .alias(line + " in " + output)
                .until(() -> Files.exists(output) && lines(output).contains(line));
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readString(file, UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Long> pidsIn(Path output) {
        return lines(output).stream().filter(line -> line.matches("[0-9]+")).map(Long::valueOf);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        processes.afterEach(context);
        started.forEach(hive -> await().atMost(PATIENCE).until(() -> !RealProcesses.runs(hive.process)));
        started.forEach(hive -> hive.pids().forEach(hive::killIfOwned)); // also those that the test has not read
    }

    /** One hive; the process is its JVM, or the parent of its JVM. */
    final class Hive {
        private final Path home;
        private final ProcessHandle process;

        private Hive(Path home, ProcessHandle process) {
            this.home = home;
            this.process = process;
        }

        /** The output of a worker, by its index in the arguments. */
        Path outputOf(int worker) {
            return home.resolve(OutputFileName.of("worker " + worker));
        }

        void eventuallyPrinted(String line) {
            RealHives.eventuallyPrinted(home.resolve("hive.out"), line);
        }

        /** The JVM. */
        ProcessIdentity identity() {
            return ProcessIdentity.of(jvm());
        }

        /** The output of a worker, by its index. */
        List<Long> pidsOf(int worker) {
            return pidsIn(outputOf(worker)).toList();
        }

        /** The printed processes of the workers and their children; waits for this number. All are alive. */
        List<ProcessIdentity> members(int count) {
            List<Long> pids = await().atMost(PATIENCE)
                    .alias(count + " processes of " + home)
                    .until(this::pids, printed -> printed.size() == count);
            return pids.stream().map(processes::watch).map(ProcessIdentity::of).toList();
        }

        /** As by the kernel's OOM killer. */
        void kill() {
            ProcessHandle jvm = jvm();
            jvm.destroyForcibly();
            await().atMost(PATIENCE).until(() -> !RealProcesses.runs(jvm));
        }

        private ProcessHandle jvm() {
            return processes.watch(pidsIn(home.resolve("hive.out")).findFirst().orElseThrow());
        }

        private List<Long> pids() {
            if (!Files.isDirectory(home)) {
                return List.of();
            }
            try (Stream<Path> files = Files.walk(home)) {
                return files.filter(file -> file.toString().endsWith(".log"))
                        .flatMap(RealHives::pidsIn)
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Only a process of the hive writes to its directory; one that reuses the pid does not. */
        private void killIfOwned(long pid) {
            ProcessHandle.of(pid).filter(this::writesIntoHome).ifPresent(ProcessHandle::destroyForcibly);
        }

        private boolean writesIntoHome(ProcessHandle found) {
            try {
                return Files.readSymbolicLink(Path.of("/proc/" + found.pid() + "/fd/1"))
                        .startsWith(home.toRealPath());
            } catch (IOException e) {
                return false;
            }
        }
    }
}
