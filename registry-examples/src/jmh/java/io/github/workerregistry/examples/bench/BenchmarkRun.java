package io.github.workerregistry.examples.bench;

import io.github.workerregistry.examples.bench.Workload.Free;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.Main;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;

/**
 * Runs the benchmarks and writes {@code jmh.json}. Arguments: the directory to write to, the {@link Plan}, and
 * arguments of JMH; if there are any of these, JMH runs with them in place of the plan.
 */
final class BenchmarkRun {

    private final Path result;
    private final Plan plan;
    private final List<RunResult> results = new ArrayList<>();

    private BenchmarkRun(Path result, Plan plan) {
        this.result = result;
        this.plan = plan;
    }

    public static void main(String[] args) throws IOException, RunnerException {
        Path result = Files.createDirectories(Path.of(args[0])).resolve("jmh.json");
        if (args.length > 2) {
            Stream<String> output = Stream.of("-rf", "json", "-rff", result.toString());
            Main.main(Stream.concat(output, Arrays.stream(args).skip(2)).toArray(String[]::new));
        } else {
            new BenchmarkRun(result, Plan.of(args[1])).run();
        }
    }

    private void run() throws IOException, RunnerException {
        measure(plan.options().include(LookupBenchmark.class.getName()));
        measure(plan.options().include(WaitBenchmark.class.getName()));
        measure(plan.options().include(PlannerBenchmark.class.getName()));
        measure(plan.options().include(PoolBenchmark.class.getName()));
        Set<Subject.Name> all = EnumSet.allOf(Subject.Name.class);
        Set<Free> everyCase = EnumSet.allOf(Free.class);
        if (plan == Plan.FULL) {
            for (int threads : new int[] {1, 2, 8}) {
                slots(threads, all, everyCase, 1, 10, 1000, 100_000);
                slots(threads, all, EnumSet.of(Free.ALL), 1000, 1000, 100_000);
                slots(threads, all, EnumSet.of(Free.ONE_IN_A_HUNDRED), 1000, 100_000); // one of each model
            }
            return;
        }
        slots(2, all, everyCase, 1, 10, 1000, 100_000);
        slots(2, all, EnumSet.of(Free.ALL), 1000, 1000, 100_000);
        for (int threads : new int[] {1, 8}) {
            slots(threads, all, everyCase, 1, 1000);
            slots(
                    threads,
                    EnumSet.of(Subject.Name.REGISTRY),
                    EnumSet.complementOf(EnumSet.of(Free.ONE_SLOT)),
                    1,
                    10,
                    100_000);
        }
    }

    private void slots(int threads, Set<Subject.Name> subjects, Set<Free> free, int models, int... workers)
            throws IOException, RunnerException {
        measure(plan.options()
                .include(SlotBenchmark.class.getName())
                .threads(threads)
                .param("subject", names(subjects))
                .param("free", names(free))
                .param("models", Integer.toString(models))
                .param(
                        "workers",
                        IntStream.of(workers).mapToObj(Integer::toString).toArray(String[]::new)));
    }

    private static String[] names(Set<? extends Enum<?>> values) {
        return values.stream().map(Enum::name).toArray(String[]::new);
    }

    /** The results so far are written each time, so that an aborted run has results. */
    private void measure(ChainedOptionsBuilder options) throws IOException, RunnerException {
        results.addAll(new Runner(options.build()).run());
        try (PrintStream out = new PrintStream(result.toFile(), StandardCharsets.UTF_8)) {
            ResultFormatFactory.getInstance(ResultFormatType.JSON, out).writeOut(results);
        }
    }
}
