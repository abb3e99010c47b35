package io.github.workerregistry.process;

import static io.github.workerregistry.process.HiveMain.OUT;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Starts programs in a JVM with a given {@code PATH}: by the JDK alone, and as workers. Arguments: the working
 * directory, and names of programs. Prints a line for each whose results differ, and {@code ok} at the end.
 */
final class ProgramSearchMain {

    private ProgramSearchMain() {}

    public static void main(String[] args) throws InterruptedException {
        Path directory = Path.of(args[0]);
        LocalProcessController controller =
                LocalProcessController.builder().discardOutput().build();
        ProgramSearch programs = ProgramSearch.in(Optional.ofNullable(System.getenv("PATH")));
        int started = 0;
        for (String program : List.of(args).subList(1, args.length)) {
            int byTheJdk = byTheJdk(program, directory);
            int asAWorker = asAWorker(controller, program, directory);
            boolean found = programs.find(program, Optional.of(directory)).isPresent();
            if (byTheJdk != asAWorker || found != (byTheJdk >= 0)) {
                OUT.println(program + ": " + byTheJdk + " by the JDK, " + asAWorker + " as a worker, found " + found);
            }
            started += byTheJdk >= 0 ? 1 : 0;
        }
        OUT.println("started " + started);
        System.exit(0);
    }

    /** The exit code; -1 if it cannot be started. */
    private static int byTheJdk(String program, Path directory) throws InterruptedException {
        try {
            ProcessBuilder builder = new ProcessBuilder(program).directory(directory.toFile());
            builder.environment().put("STARTED_BY", "the JDK"); // otherwise it would let the system search
            return builder.start().waitFor();
        } catch (IOException e) {
            return -1;
        }
    }

    private static int asAWorker(LocalProcessController controller, String program, Path directory)
            throws InterruptedException {
        try {
            WorkerProcess worker = controller.start(
                    new ProcessSpec("w", List.of(program), Map.of("STARTED_BY", "us"), Optional.of(directory)));
            while (worker.exitStatus().isEmpty()) {
                Thread.sleep(1);
            }
            return worker.exitStatus().orElseThrow().code().orElseThrow();
        } catch (SpawnException e) {
            return -1;
        }
    }
}
