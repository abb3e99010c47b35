package io.github.workerregistry.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Creates {@code results.md} and {@code slots.svg} from the output of {@link BenchmarkRun} and {@link Latency}.
 * Argument: the directory of all these files.
 */
final class Report {

    private Report() {}

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]);
        Results results = new Results(directory);
        Files.writeString(directory.resolve("results.md"), text(results));
        Files.writeString(directory.resolve("slots.svg"), new Plot(results.slots()).svg());
        System.out.println("Written: " + directory.resolve("results.md") + " and slots.svg");
    }

    private static String text(Results results) {
        StringBuilder text =
                new StringBuilder("Measured on ").append(Machine.describe()).append(".\n\n");
        text.append("| what | promised | measured | |\n|---|---|---|---|\n");
        for (Target target : Target.of(results)) {
            row(text, target.what(), target.promise(), target.measured(), target.outcome());
        }
        text.append("\nAcquire and release a slot, ns (and the error of a 99.9 % interval)\n\n");
        text.append("| free | models | workers | threads |");
        for (Subject.Name subject : Subject.Name.values()) {
            text.append(' ').append(subject.title()).append(" |");
        }
        text.append("\n|---|---|---|---|")
                .append("---|".repeat(Subject.Name.values().length))
                .append('\n');
        circumstances(results).forEach(run -> slots(text, results, run));
        return text.toString();
    }

    private static Stream<Results.Slots> circumstances(Results results) {
        return results.slots().stream()
                .map(run -> new Results.Slots(Subject.Name.REGISTRY, run.threads(), run.workload(), 0, 0, 0))
                .distinct()
                .sorted(Comparator.comparing(
                                (Results.Slots run) -> run.workload().free())
                        .thenComparingInt(run -> run.workload().models())
                        .thenComparingInt(run -> run.workload().workers())
                        .thenComparingInt(Results.Slots::threads));
    }

    private static void slots(StringBuilder text, Results results, Results.Slots run) {
        Workload workload = run.workload();
        String[] cells = Stream.concat(
                        Stream.of(
                                workload.free().title(),
                                String.format(Locale.ROOT, "%,d", workload.models()),
                                String.format(Locale.ROOT, "%,d", workload.workers()),
                                Integer.toString(run.threads())),
                        Stream.of(Subject.Name.values()).map(subject -> nanos(results, subject, run)))
                .toArray(String[]::new);
        row(text, cells);
    }

    private static String nanos(Results results, Subject.Name subject, Results.Slots run) {
        return results.slots(subject, run.threads(), run.workload())
                .map(Report::nanos)
                .orElse("");
    }

    private static String nanos(Results.Slots run) {
        String nanos = String.format(Locale.ROOT, "%,.1f", run.nanos());
        return Double.isNaN(run.error()) ? nanos : nanos + String.format(Locale.ROOT, " ± %,.1f", run.error());
    }

    private static void row(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }
}
