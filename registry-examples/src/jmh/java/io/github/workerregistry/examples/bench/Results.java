package io.github.workerregistry.examples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.workerregistry.examples.bench.Workload.Free;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** The results, read from {@code jmh.json} and {@code latency.json}. Missing results are empty. */
final class Results {

    /** One result of the slot benchmark: subject, parameters, ns and bytes per operation. */
    record Slots(Subject.Name subject, int threads, Workload workload, double nanos, double error, double bytes) {}

    private final List<Slots> slots = new ArrayList<>();
    private final JsonNode benchmarks;
    private final JsonNode latency;

    Results(Path directory) throws IOException {
        benchmarks = read(directory.resolve("jmh.json"));
        latency = read(directory.resolve("latency.json"));
        for (JsonNode run : benchmarks) {
            if (isOf(run, "SlotBenchmark.takeAndGive")) {
                slots.add(slotsOf(run));
            }
        }
    }

    private static JsonNode read(Path file) throws IOException {
        ObjectMapper json = new ObjectMapper();
        return Files.exists(file) ? json.readTree(file.toFile()) : json.createObjectNode();
    }

    private static boolean isOf(JsonNode run, String benchmark) {
        return run.path("benchmark").asText().endsWith("." + benchmark);
    }

    private static Slots slotsOf(JsonNode run) {
        JsonNode params = run.path("params");
        JsonNode metric = run.path("primaryMetric");
        return new Slots(
                Subject.Name.valueOf(params.path("subject").asText()),
                run.path("threads").asInt(),
                new Workload(
                        params.path("workers").asInt(),
                        Free.valueOf(params.path("free").asText()),
                        params.path("models").asInt()),
                metric.path("score").asDouble(),
                metric.path("scoreError").asDouble(),
                allocatedBy(run));
    }

    /** Bytes per operation, from JMH's GC profiler. */
    private static double allocatedBy(JsonNode run) {
        for (var metric : run.path("secondaryMetrics").properties()) {
            if (metric.getKey().endsWith("gc.alloc.rate.norm")) {
                return metric.getValue().path("score").asDouble();
            }
        }
        return Double.NaN;
    }

    List<Slots> slots() {
        return slots;
    }

    /** The result of that subject with those parameters. */
    Optional<Slots> slots(Subject.Name subject, int threads, Workload workload) {
        return slots.stream()
                .filter(run -> run.subject == subject && run.threads == threads && run.workload.equals(workload))
                .findFirst();
    }

    /** ns per look-up. */
    OptionalDouble lookup(String benchmark, boolean leased) {
        for (JsonNode run : benchmarks) {
            if (isOf(run, "LookupBenchmark." + benchmark)
                    && run.path("params").path("leased").asBoolean() == leased) {
                return OptionalDouble.of(run.path("primaryMetric").path("score").asDouble());
            }
        }
        return OptionalDouble.empty();
    }

    /** A figure of {@link Latency}: the first whose name has that prefix. */
    OptionalDouble figure(String nameBegins, String nameEnds) {
        for (var field : latency.properties()) {
            if (field.getKey().startsWith(nameBegins) && field.getKey().endsWith(nameEnds)) {
                return OptionalDouble.of(field.getValue().asDouble());
            }
        }
        return OptionalDouble.empty();
    }
}
