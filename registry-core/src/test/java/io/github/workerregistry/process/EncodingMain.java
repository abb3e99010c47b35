package io.github.workerregistry.process;

import static io.github.workerregistry.process.HiveMain.OUT;

import io.github.workerregistry.lifecycle.WorkerSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Builds specs with non-ASCII text and prints the outcomes; then starts a process with such an argument and variable
 * and prints what it received. The argument is a directory for its output.
 */
final class EncodingMain {

    static final String NON_ASCII = "mod\u00e8le-\u6a21\u578b";

    private EncodingMain() {}

    public static void main(String[] args) {
        OUT.println("program: " + outcome(() -> spec().command(NON_ASCII)));
        OUT.println("argument: " + outcome(() -> spec().command("serve", "a", NON_ASCII)));
        OUT.println(
                "parameter: " + outcome(() -> spec().command("serve", "{path}").parameter("path", NON_ASCII)));
        OUT.println("model: " + outcome(() -> spec().modelRef(NON_ASCII)));
        OUT.println("id: " + outcome(() -> spec().id(NON_ASCII)));
        OUT.println("value: " + outcome(() -> spec().environment("A", NON_ASCII)));
        OUT.println("name: " + outcome(() -> spec().environment("A" + NON_ASCII, "a")));
        OUT.println("directory: "
                + outcome(() -> spec().directory(Path.of("models-{backend}")).backend(NON_ASCII)));
        OUT.println("process: " + outcome(() -> printed(Path.of(args[0]))));
    }

    private static WorkerSpec.Builder spec() {
        return WorkerSpec.builder().modelRef("m").command("serve").url("http://h");
    }

    private static String outcome(Supplier<?> attempt) {
        try {
            Object result = attempt.get();
            return result instanceof WorkerSpec.Builder builder
                    ? "taken, " + builder.build().slots()
                    : result.toString();
        } catch (IllegalArgumentException e) {
            return e.getMessage();
        }
    }

    private static List<String> printed(Path directory) {
        WorkerProcess process = LocalProcessController.builder()
                .outputDirectory(directory)
                .build()
                .start(new ProcessSpec(
                        "w",
                        List.of("sh", "-c", "printf '%s\\n' \"$1\" \"$A\"", "sh", NON_ASCII),
                        Map.of("A", NON_ASCII),
                        Optional.empty()));
        while (process.exitStatus().isEmpty()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        return process.outputTail(9);
    }
}
