package io.github.workerregistry.examples.bench;

import io.github.workerregistry.pool.EvictionPolicy;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * What the choice of the victim is worth, in virtual time: 20 models on a machine with room for 4. A model loads for 2
 * to 60 s; its popularity follows Zipf's law and has nothing to do with its load time. Requests arrive at random and
 * take 3 s on average; a loaded model serves any number of them. Measures the time from a request to its first moment
 * on a worker.
 */
final class SwapSimulation {

    static final int SLOTS = 1_000;

    private static final int MODELS = 20;
    private static final int ROOM = 4;
    private static final int REQUESTS = 2_000;
    private static final double SHORTEST_LOAD = 2;
    private static final double LONGEST_LOAD = 60;
    private static final double MEAN_SERVICE = 3;
    private static final int[] SECONDS_BETWEEN = {20, 5, 2};

    private final VirtualTime time = new VirtualTime();
    private final Random random;
    private final int secondsBetween;
    private final SwapRules rules;
    private final List<Long> waits = new ArrayList<>();

    private SwapSimulation(long seed, int secondsBetween, RulesOf rulesOf) {
        this.random = new Random(seed);
        this.secondsBetween = secondsBetween;
        this.rules = rulesOf.of(time, loadTimes());
    }

    /** Makes the rules of one run. */
    private interface RulesOf {
        SwapRules of(VirtualTime time, Duration[] loadTimes);
    }

    static void measure(Figures figures, int runs) {
        for (int seconds : SECONDS_BETWEEN) {
            measure(figures, "leastRecentlyUsed", runs, seconds, pool(EvictionPolicy.leastRecentlyUsed()));
            measure(figures, "cheapestToReload", runs, seconds, pool(EvictionPolicy.cheapestToReload()));
            measure(figures, "llama-swap", runs, seconds, peer(PeerSwapRules.Program.LLAMA_SWAP));
            measure(figures, "Ollama", runs, seconds, peer(PeerSwapRules.Program.OLLAMA));
        }
    }

    private static RulesOf pool(EvictionPolicy policy) {
        return (time, loadTimes) -> new PoolSwapRules(time, ROOM, loadTimes, policy);
    }

    private static RulesOf peer(PeerSwapRules.Program program) {
        return (time, loadTimes) -> new PeerSwapRules(time, ROOM, loadTimes, program);
    }

    private static void measure(Figures figures, String name, int runs, int seconds, RulesOf rulesOf) {
        List<Long> all = new ArrayList<>();
        long loads = 0;
        for (int run = 0; run < runs; run++) {
            SwapSimulation simulation = new SwapSimulation(run, seconds, rulesOf);
            simulation.run();
            all.addAll(simulation.waits);
            loads += simulation.rules.loads();
        }
        long[] sorted = all.stream().mapToLong(Long::longValue).sorted().toArray();
        double mean = all.stream().mapToLong(Long::longValue).average().orElseThrow();
        String prefix = "wait for one of 20 models, a request each " + seconds + " s, " + name + ", ";
        figures.put(prefix + "mean ms", mean / 1e6);
        figures.put(prefix + "p99 ms", sorted[(int) (0.99 * sorted.length)] / 1e6);
        figures.put(prefix + "worst ms", sorted[sorted.length - 1] / 1e6);
        figures.put(prefix + "loads of 1000 requests", 1000.0 * loads / sorted.length);
    }

    /** Of equal ratio from one to the next, in random order. */
    private Duration[] loadTimes() {
        List<Duration> times = new ArrayList<>();
        for (int i = 0; i < MODELS; i++) {
            double seconds = SHORTEST_LOAD * Math.pow(LONGEST_LOAD / SHORTEST_LOAD, i / (MODELS - 1.0));
            times.add(Duration.ofNanos((long) (seconds * 1e9)));
        }
        Collections.shuffle(times, random);
        return times.toArray(Duration[]::new);
    }

    private void run() {
        List<Integer> names = new ArrayList<>(); // by popularity
        for (int i = 0; i < MODELS; i++) {
            names.add(i);
        }
        Collections.shuffle(names, random);
        double arrival = 0;
        for (int i = 0; i < REQUESTS; i++) {
            arrival += exponential(secondsBetween);
            int model = names.get(popular());
            Duration service = Duration.ofNanos((long) (exponential(MEAN_SERVICE) * 1e9));
            time.schedule(() -> request(model, service), (long) (arrival * 1e9), TimeUnit.NANOSECONDS);
        }
        while (waits.size() < REQUESTS) {
            time.advance(Duration.ofMinutes(10));
        }
    }

    private double exponential(double mean) {
        return -Math.log(1 - random.nextDouble()) * mean;
    }

    /** The rank of a model, with a probability of one over the rank. */
    private int popular() {
        double sum = 0;
        for (int rank = 1; rank <= MODELS; rank++) {
            sum += 1.0 / rank;
        }
        double left = random.nextDouble() * sum;
        for (int rank = 1; rank < MODELS; rank++) {
            left -= 1.0 / rank;
            if (left < 0) {
                return rank - 1;
            }
        }
        return MODELS - 1;
    }

    private void request(int model, Duration service) {
        Instant requested = time.instant();
        rules.request(model, end -> {
            waits.add(Duration.between(requested, time.instant()).toNanos());
            time.schedule(end, service.toNanos(), TimeUnit.NANOSECONDS);
        });
    }
}
