package io.github.workerregistry.examples.faults;

import io.github.workerregistry.Exit;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The state of one worker in the {@link Ledger} and the {@link Judge}. Guarded by the ledger. */
final class Life {

    final Purpose purpose;
    final List<Fault> open = new ArrayList<>();

    int generation;
    long readyAt = Long.MAX_VALUE;
    boolean ended = true;

    /** The next generation must not start before this time. */
    Instant restartAt = Instant.MAX;

    /** Why it is being stopped; null while it is not. */
    Exit.@Nullable Cause stopping;

    private final Deque<Long> restarts = new ArrayDeque<>();

    Life(Purpose purpose) {
        this.purpose = purpose;
    }

    void begin(int generation) {
        this.generation = generation;
        ended = false;
        stopping = null;
        readyAt = Long.MAX_VALUE;
        restartAt = Instant.MAX;
    }

    void restartPlanned(long now) {
        restarts.addLast(now);
    }

    int restartsSince(long then) {
        while (!restarts.isEmpty() && restarts.getFirst() < then) {
            restarts.removeFirst();
        }
        return restarts.size();
    }

    Optional<Fault> find(FaultKind kind) {
        return open.stream().filter(fault -> fault.kind() == kind).findFirst();
    }

    boolean has(FaultKind kind) {
        return find(kind).isPresent();
    }

    boolean isUndisturbed() {
        return open.stream().allMatch(fault -> fault.kind().isConsequence());
    }
}
