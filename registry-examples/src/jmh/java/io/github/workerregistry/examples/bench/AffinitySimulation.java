package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.SlotSelection;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * What an affinity key is worth, in virtual time: 64 conversations of 10 turns on 4 workers with 2 slots each. A turn
 * takes 200 ms on the worker that served the turn before it, and ten times that on another. Between two turns a user
 * thinks for some seconds on average. Measures the time from a turn's request to its end.
 *
 * <p>With little time to think all slots are always in use, and a slot that is released goes to the request that has
 * waited longest, wherever its conversation was: then a key gains nothing.
 */
final class AffinitySimulation {

    private static final String MODEL = "llama";
    private static final int WORKERS = 4;
    private static final int SLOTS = 2;
    private static final int CONVERSATIONS = 64;
    private static final int TURNS = 10;
    private static final Duration WARM = Duration.ofMillis(200);
    private static final Duration COLD = Duration.ofSeconds(2);
    private static final int[] THINK_SECONDS = {5, 10, 20, 60};

    private final VirtualTime time = new VirtualTime();
    private final Random random;
    private final int thinkSeconds;
    private final WorkerRegistry registry;
    private final IntFunction<SlotRequest> requestOf;
    private final List<Long> turnNanos = new ArrayList<>();
    private int warm;

    private AffinitySimulation(
            long seed, int thinkSeconds, SlotSelection selection, IntFunction<SlotRequest> requestOf) {
        this.random = new Random(seed);
        this.thinkSeconds = thinkSeconds;
        this.requestOf = requestOf;
        this.registry = WorkerRegistry.builder()
                .clock(time)
                .timer(time)
                .slotSelection(selection)
                .build();
        for (int i = 0; i < WORKERS; i++) {
            registry.register(WorkerInfo.builder()
                    .id("w" + i)
                    .url("http://127.0.0.1:8100")
                    .modelRef(MODEL)
                    .slotsTotal(SLOTS)
                    .state(new Idle())
                    .labels(Map.of("number", Integer.toString(i)))
                    .build());
        }
    }

    static void measure(Figures figures, int runs) {
        SlotRequest plain = SlotRequest.forModel(MODEL);
        for (int think : THINK_SECONDS) {
            int[] turn = new int[1];
            measure(figures, "a key", runs, think, SlotSelection.PACK, i -> plain.affinity("conversation-" + i));
            measure(figures, "no key, PACK", runs, think, SlotSelection.PACK, i -> plain);
            measure(figures, "no key, SPREAD", runs, think, SlotSelection.SPREAD, i -> plain);
            measure(figures, "round robin", runs, think, SlotSelection.PACK, i -> {
                return plain.withLabel("number", Integer.toString(turn[0]++ % WORKERS));
            });
        }
    }

    private static void measure(
            Figures figures,
            String name,
            int runs,
            int think,
            SlotSelection selection,
            IntFunction<SlotRequest> requestOf) {
        List<Long> all = new ArrayList<>();
        long warm = 0;
        for (int run = 0; run < runs; run++) {
            AffinitySimulation simulation = new AffinitySimulation(run, think, selection, requestOf);
            simulation.run();
            all.addAll(simulation.turnNanos);
            warm += simulation.warm;
        }
        long[] sorted = all.stream().mapToLong(Long::longValue).sorted().toArray();
        double mean = all.stream().mapToLong(Long::longValue).average().orElseThrow();
        String prefix = "turn of a conversation, think " + think + " s, " + name + ", ";
        figures.put(prefix + "mean ms", mean / 1e6);
        figures.put(prefix + "p99 ms", sorted[(int) (0.99 * sorted.length)] / 1e6);
        figures.put(prefix + "on the worker of the turn before, percent", 100.0 * warm / sorted.length);
    }

    private void run() {
        for (int i = 0; i < CONVERSATIONS; i++) {
            int conversation = i;
            later(think(), () -> turn(conversation, 0, ""));
        }
        while (turnNanos.size() < CONVERSATIONS * TURNS) {
            time.advance(Duration.ofSeconds(1));
        }
    }

    private Duration think() {
        return Duration.ofNanos((long) (-Math.log(1 - random.nextDouble()) * thinkSeconds * 1e9));
    }

    private void later(Duration delay, Runnable task) {
        time.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void turn(int conversation, int number, String lastWorker) {
        Instant requested = time.instant();
        registry.acquireAsync(requestOf.apply(conversation), Duration.ofHours(1), Runnable::run)
                .lease()
                .thenAccept(slot -> serve(slot, conversation, number, lastWorker, requested));
    }

    private void serve(SlotLease slot, int conversation, int number, String lastWorker, Instant requested) {
        boolean isWarm = slot.workerId().equals(lastWorker);
        warm += isWarm ? 1 : 0;
        later(isWarm ? WARM : COLD, () -> {
            slot.close();
            turnNanos.add(Duration.between(requested, time.instant()).toNanos());
            if (number + 1 < TURNS) {
                later(think(), () -> turn(conversation, number + 1, slot.workerId()));
            }
        });
    }
}
