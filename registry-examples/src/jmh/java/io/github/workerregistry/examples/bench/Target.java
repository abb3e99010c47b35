package io.github.workerregistry.examples.bench;

import static io.github.workerregistry.examples.bench.Subject.Name.COMMONS_POOL;
import static io.github.workerregistry.examples.bench.Subject.Name.CONCURRENT_BAG;
import static io.github.workerregistry.examples.bench.Subject.Name.REGISTRY;
import static io.github.workerregistry.examples.bench.Subject.Name.SPEC;
import static io.github.workerregistry.examples.bench.Subject.Name.STORMPOT;

import io.github.workerregistry.examples.bench.Workload.Free;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * A performance target, and whether it was met.
 *
 * @param what description of the measurement
 * @param promise description of the bound
 * @param measured the value and its inputs; "not measured" if missing
 * @param outcome {@code met} or {@code missed}; empty without a bound or a measurement
 */
record Target(String what, String promise, String measured, String outcome) {

    private static final String NOT_MEASURED = "not measured";
    private static final int[] THREADS = {1, 2, 8};

    /** All targets, as far as they were measured. */
    static List<Target> of(Results results) {
        List<Target> targets = new ArrayList<>();
        for (int threads : THREADS) {
            targets.add(timesFaster(
                    results, CONCURRENT_BAG, threads, Free.ALL, 1, "not slower than HikariCP's ConcurrentBag"));
            targets.add(timesFaster(results, STORMPOT, threads, Free.ALL, 1, "faster than Stormpot"));
            targets.add(timesFaster(results, COMMONS_POOL, threads, Free.ALL, 10, "10x faster than commons-pool2"));
        }
        for (Free free : List.of(Free.ALL, Free.ONE_IN_A_HUNDRED)) {
            for (int threads : THREADS) {
                targets.add(flat(results, threads, free));
            }
        }
        for (Free free : List.of(Free.ALL, Free.ONE_IN_A_HUNDRED)) {
            targets.add(timesFaster(results, SPEC, 2, free, 20, "20x faster than the specification's own design"));
        }
        targets.add(allocation(results));
        targets.add(get(results, false, "at most 1.5x `ConcurrentHashMap.get`", 1.5));
        targets.add(get(results, true, "", Double.NaN));
        targets.add(figure(results, "kill to event, common pool idle,", "median ms", 5));
        targets.add(figure(results, "kill to event, common pool saturated,", "worst ms", 250));
        targets.add(figure(results, "health round over 10000 workers", "median ms", 100));
        targets.add(figure(results, "worker beyond its strings", "bytes", 400));
        for (String[] figure : new String[][] {
            {"kill to event, common pool idle,", "worst ms"},
            {"kill to event, common pool saturated,", "median ms"},
            {"slot freed to waiter running", "median us"},
            {"slot freed to waiter running", "p99 us"},
            {"tick over 10000 workers", "median ms"},
            {"worker with its id", "bytes"},
            {"list of 1000000", "median ms"},
        }) {
            targets.add(figure(results, figure[0], figure[1], Double.NaN));
        }
        targets.addAll(exits(results, "(1000 workers, 0 others),", 1));
        targets.addAll(exits(results, "(1000 workers, 3000 others),", 2));
        return targets;
    }

    /** What exits may cost; {@code times} as much beside many other processes. */
    private static List<Target> exits(Results results, String where, int times) {
        return List.of(
                figure(results, "kill of one " + where, "median ms", 20 * times),
                figure(results, "kill of 500, last event " + where, "ms", 300 * times),
                figure(results, "kill of 500, cpu " + where, "ms", 1000 * times),
                figure(results, "stop of 500, last event " + where, "ms", 1000),
                figure(results, "shutdown of 100, call " + where, "ms", 10),
                figure(results, "shutdown of 100, end " + where, "ms", 1000),
                figure(results, "shutdown of 100, delay of the hive's own task " + where, "ms", 50));
    }

    /** The registry's time, multiplied, compared to a peer's: 1,000 workers of one model. */
    private static Target timesFaster(
            Results results, Subject.Name peer, int threads, Free free, int times, String promise) {
        Workload workload = new Workload(1000, free, 1);
        OptionalDouble ours = nanos(results, REGISTRY, threads, workload);
        OptionalDouble theirs = nanos(results, peer, threads, workload);
        String what = "acquire + release, 1,000 workers, " + free.title() + " free, " + threads(threads);
        if (ours.isEmpty() || theirs.isEmpty()) {
            return new Target(what, promise, NOT_MEASURED, "");
        }
        double ratio = theirs.getAsDouble() / ours.getAsDouble();
        String measured = format("%.1f ns, theirs %.1f ns: %.2fx", ours.getAsDouble(), theirs.getAsDouble(), ratio);
        return new Target(what, promise, measured, outcome(ratio >= times));
    }

    private static OptionalDouble nanos(Results results, Subject.Name subject, int threads, Workload workload) {
        return results.slots(subject, threads, workload).stream()
                .mapToDouble(Results.Slots::nanos)
                .findFirst();
    }

    /** Only the lease is allocated for a slot, at least an object with three references. */
    private static Target allocation(Results results) {
        String measured = results.slots(REGISTRY, 1, new Workload(1000, Free.ALL, 1))
                .map(run -> format("%.0f bytes", run.bytes()))
                .orElse(NOT_MEASURED);
        return new Target("allocated for a slot", "", measured, "");
    }

    private static Target flat(Results results, int threads, Free free) {
        double[] nanos = IntStream.of(10, 1000, 100_000)
                .mapToObj(workers -> nanos(results, REGISTRY, threads, new Workload(workers, free, 1)))
                .flatMapToDouble(OptionalDouble::stream)
                .toArray();
        String what = "the same, 10 to 100,000 workers, " + free.title() + " free, " + threads(threads);
        String promise = "at most 1.5x apart";
        if (nanos.length < 3) {
            return new Target(what, promise, NOT_MEASURED, "");
        }
        double least = Math.min(nanos[0], Math.min(nanos[1], nanos[2]));
        double most = Math.max(nanos[0], Math.max(nanos[1], nanos[2]));
        String measured = format("%.1f, %.1f, %.1f ns: %.2fx", nanos[0], nanos[1], nanos[2], most / least);
        return new Target(what, promise, measured, outcome(most / least <= 1.5));
    }

    private static Target get(Results results, boolean leased, String promise, double bound) {
        OptionalDouble ours = results.lookup("registryGet", leased);
        OptionalDouble map = results.lookup("mapGet", leased);
        String what = "`get`, 1,000 workers, " + (leased ? "all leased" : "all idle") + ", 2 threads";
        if (ours.isEmpty() || map.isEmpty()) {
            return new Target(what, promise, NOT_MEASURED, "");
        }
        double ratio = ours.getAsDouble() / map.getAsDouble();
        String measured = format("%.1f ns, the map %.1f ns: %.2fx", ours.getAsDouble(), map.getAsDouble(), ratio);
        return new Target(what, promise, measured, Double.isNaN(bound) ? "" : outcome(ratio <= bound));
    }

    private static Target figure(Results results, String name, String ending, double bound) {
        OptionalDouble value = results.figure(name, ending);
        int space = ending.indexOf(' ');
        String unit = ending.substring(space + 1);
        String what = name.replaceAll(",$", "") + (space < 0 ? "" : ", " + ending.substring(0, space));
        boolean isPromised = !Double.isNaN(bound);
        return new Target(
                what,
                isPromised ? format("at most %.0f %s", bound, unit) : "",
                value.isPresent() ? format("%,.1f %s", value.getAsDouble(), unit) : NOT_MEASURED,
                isPromised && value.isPresent() ? outcome(value.getAsDouble() <= bound) : "");
    }

    private static String threads(int threads) {
        return threads == 1 ? "1 thread" : threads + " threads";
    }

    private static String outcome(boolean isMet) {
        return isMet ? "met" : "**missed**";
    }

    @SuppressWarnings("AnnotateFormatMethod")
    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
