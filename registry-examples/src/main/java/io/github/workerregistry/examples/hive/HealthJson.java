package io.github.workerregistry.examples.hive;

import io.github.workerregistry.RegistryStats;

/**
 * The health of the hive, with the number of workers and slots by state.
 *
 * @param status always {@code ok}
 */
record HealthJson(
        String status,
        int workers,
        int loading,
        int idle,
        int busy,
        int backingOff,
        int stopping,
        long slotsTotal,
        long slotsInUse) {

    static HealthJson of(RegistryStats stats) {
        return new HealthJson(
                "ok",
                stats.workers(),
                stats.loading(),
                stats.idle(),
                stats.busy(),
                stats.backingOff(),
                stats.stopping(),
                stats.slotsTotal(),
                stats.slotsInUse());
    }
}
