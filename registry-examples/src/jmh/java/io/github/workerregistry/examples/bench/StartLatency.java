package io.github.workerregistry.examples.bench;

import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a start costs: the call, beside {@link ProcessBuilder#start()}; and what the session of its own adds until the
 * program runs, by a program that exits at once. All kinds in turn, so that a slow moment of the machine counts for
 * each.
 */
final class StartLatency {

    private final int starts;

    StartLatency(int starts) {
        this.starts = starts;
    }

    void measure(Figures figures) throws IOException {
        LocalProcessController controller = LocalProcessController.create();
        long[] worker = new long[starts];
        long[] plain = new long[starts];
        long[] toExit = new long[starts];
        long[] toExitInSession = new long[starts];
        for (int i = 0; i < starts; i++) {
            worker[i] = worker(controller, i);
            plain[i] = plain();
            toExit[i] = untilExit("true");
            toExitInSession[i] = untilExit("setsid", "true");
        }
        figures.putSpread("start of a worker,", "ms", 1e6, worker);
        figures.putSpread("ProcessBuilder.start,", "ms", 1e6, plain);
        figures.putSpread("start to exit of a process,", "ms", 1e6, toExit);
        figures.putSpread("start to exit of a process in its own session,", "ms", 1e6, toExitInSession);
    }

    private static long worker(LocalProcessController controller, int number) {
        ProcessSpec spec = new ProcessSpec("w" + number, List.of("sleep", "3600"), Map.of(), Optional.empty());
        long begun = System.nanoTime();
        WorkerProcess process = controller.start(spec);
        long taken = System.nanoTime() - begun;
        process.kill();
        process.onExit().toCompletableFuture().join();
        process.release();
        return taken;
    }

    private static long plain() throws IOException {
        ProcessBuilder builder = quiet("sleep", "3600");
        long begun = System.nanoTime();
        Process process = builder.start();
        long taken = System.nanoTime() - begun;
        process.destroyForcibly().onExit().join();
        return taken;
    }

    private static long untilExit(String... command) throws IOException {
        ProcessBuilder builder = quiet(command);
        long begun = System.nanoTime();
        builder.start().onExit().join();
        return System.nanoTime() - begun;
    }

    private static ProcessBuilder quiet(String... command) {
        return new ProcessBuilder(command).redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD);
    }
}
