package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A hive without a free file descriptor while its worker prints. Arguments: output directory, directory for flags.
 * Prints the size of the output file, the counted bytes, and the last line.
 */
final class OutputShortageMain {

    static final long LIMIT = 100_000;
    static final int FLOOD = 1_000_000;

    private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private OutputShortageMain() {}

    @SuppressWarnings("BusyWait")
    public static void main(String[] args) throws IOException {
        Path flag = Path.of(args[1], "go");
        LocalProcessController controller = LocalProcessController.builder()
                .outputDirectory(Path.of(args[0]))
                .outputLimit(LIMIT)
                .build();
        String script = "for round in 1 2; do until rm '" + flag + "' 2>&-; do sleep 0.02; done; yes " + "| head -c "
                + FLOOD + "; echo; echo end of round $round; done; exec sleep 600";
        WorkerProcess process =
                controller.start(new ProcessSpec("w", List.of("sh", "-c", script), Map.of(), Optional.empty()));
        try {
            Files.createFile(flag);
            awaitEnd(process, 1); // also loads the classes, which later fails without a descriptor
            Files.createFile(flag);
            List<FileInputStream> all = useAllDescriptors();
            awaitEnd(process, 2);
            long size = Path.of(args[0], "w.log").toFile().length();
            OUT.println("took " + (all.size() > 5) + ", bounded " + (size <= LIMIT) + ", counted "
                    + (process.outputBytes() >= 2 * FLOOD) + ", last " + process.outputTail(1));
            for (FileInputStream each : all) {
                each.close();
            }
        } finally {
            process.kill();
        }
    }

    private static void awaitEnd(WorkerProcess process, int round) {
        while (!process.outputTail(1).contains("end of round " + round)) {
            LockSupport.parkNanos(20_000_000);
        }
        long unused = process.outputBytes(); // truncates
    }

    private static List<FileInputStream> useAllDescriptors() {
        List<FileInputStream> taken = new ArrayList<>();
        while (true) {
            try {
                taken.add(new FileInputStream("/dev/null"));
            } catch (IOException noneIsFree) {
                return taken;
            }
        }
    }
}
