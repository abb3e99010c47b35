package io.github.workerregistry;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Where slots may be free: at one worker, or at any worker of a model. */
@FunctionalInterface
interface SlotSource {

    /**
     * Acquires a slot for a request, whose constraints {@code accepted} includes; null if there is none.
     *
     * @param accepted workers that may serve it; null for all
     */
    @Nullable
    SlotLease acquire(SlotRequest request, @Nullable Predicate<WorkerEntry> accepted);

    /** Whether no slot is left for any request. */
    default boolean isEmpty() {
        return false;
    }

    /** The slots of one worker. */
    static SlotSource of(WorkerEntry entry) {
        return new SlotSource() {
            @Override
            public @Nullable SlotLease acquire(SlotRequest request, @Nullable Predicate<WorkerEntry> accepted) {
                return accepted == null || accepted.test(entry) ? entry.tryAcquire() : null;
            }

            @Override
            public boolean isEmpty() {
                return entry.level() == FreeSlots.NONE;
            }
        };
    }
}
