package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/** Where slots may have come free: at one worker, or at any of a model. */
@FunctionalInterface
interface SlotSource {

    /** Takes a slot of a worker that passes, or returns null. */
    @Nullable
    SlotLease take(SlotFilter filter);

    /** Whether there is none left for any filter. */
    default boolean isEmpty() {
        return false;
    }

    /** The slots of one worker. */
    static SlotSource of(Entry entry) {
        return new SlotSource() {
            @Override
            public @Nullable SlotLease take(SlotFilter filter) {
                return entry.tryTake(filter);
            }

            @Override
            public boolean isEmpty() {
                return entry.level() == FreeSlots.NONE;
            }
        };
    }
}
