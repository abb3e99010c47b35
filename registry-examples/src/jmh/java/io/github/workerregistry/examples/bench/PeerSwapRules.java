package io.github.workerregistry.examples.bench;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The rules of two other programs, as far as they concern models of equal size, written from a description of their
 * source, without their timeouts for idle models. Both serve a loaded model's requests at once, also those of a model
 * that is to be evicted.
 */
final class PeerSwapRules implements SwapRules {

    /** How they choose. */
    enum Program {
        /** llama-swap: evicts the model that was defined first, and waits while it is busy. */
        LLAMA_SWAP,
        /** Ollama: evicts the first idle model, by name, and waits while all are busy. */
        OLLAMA
    }

    /** A loaded model, or one that loads. */
    private static final class Loaded {
        private boolean ready;
        private int inUse;
    }

    /** A request that waits. */
    private record Waiting(int model, Consumer<Runnable> served) {}

    private final VirtualTime time;
    private final int room;
    private final Duration[] loadTimes;
    private final Program program;
    private final TreeMap<Integer, Loaded> loaded = new TreeMap<>(); // in the order of definition, and of names
    private final List<Waiting> queue = new ArrayList<>();
    private long loads;

    PeerSwapRules(VirtualTime time, int room, Duration[] loadTimes, Program program) {
        this.time = time;
        this.room = room;
        this.loadTimes = loadTimes;
        this.program = program;
    }

    @Override
    public void request(int model, Consumer<Runnable> served) {
        queue.add(new Waiting(model, served));
        advance();
    }

    @Override
    public long loads() {
        return loads;
    }

    private void advance() {
        for (Waiting request : List.copyOf(queue)) {
            Loaded model = loaded.get(request.model());
            if (model != null && model.ready) {
                queue.remove(request);
                model.inUse++;
                request.served().accept(() -> {
                    model.inUse--;
                    advance();
                });
            }
        }
        for (Waiting request : List.copyOf(queue)) {
            if (loaded.containsKey(request.model())) {
                continue; // it joins the load
            }
            if (!makeRoom()) {
                return; // it holds up all others that need a load
            }
            load(request.model());
        }
    }

    /** Whether there is room now. */
    private boolean makeRoom() {
        if (loaded.size() < room) {
            return true;
        }
        Integer victim = victim();
        return victim != null && loaded.remove(victim) != null;
    }

    private @Nullable Integer victim() {
        return loaded.entrySet().stream()
                .filter(entry -> entry.getValue().ready)
                .filter(entry -> program == Program.LLAMA_SWAP || entry.getValue().inUse == 0)
                .findFirst()
                .filter(entry -> entry.getValue().inUse == 0)
                .map(entry -> entry.getKey())
                .orElse(null);
    }

    private void load(int number) {
        Loaded model = new Loaded();
        loaded.put(number, model);
        loads++;
        time.schedule(
                () -> {
                    model.ready = true;
                    advance();
                },
                loadTimes[number].toNanos(),
                TimeUnit.NANOSECONDS);
    }
}
