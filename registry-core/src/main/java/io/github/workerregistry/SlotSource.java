package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/** Where slots may be free: at one worker, or at any worker of a model. */
@FunctionalInterface
interface SlotSource {

    /** Acquires a slot of a worker that passes the filter; null if there is none. */
    @Nullable
    SlotLease acquire(SlotFilter filter);

    /** Whether no slot is left for any filter. */
    default boolean isEmpty() {
        return false;
    }

    /** The slots of one worker. */
    static SlotSource of(WorkerEntry entry) {
        return new SlotSource() {
            @Override
            public @Nullable SlotLease acquire(SlotFilter filter) {
                return entry.tryAcquire(filter);
            }

            @Override
            public boolean isEmpty() {
                return entry.level() == FreeSlots.NONE;
            }
        };
    }
}
