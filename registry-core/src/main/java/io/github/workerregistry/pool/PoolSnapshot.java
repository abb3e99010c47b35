package io.github.workerregistry.pool;

import io.github.workerregistry.pool.PoolConfig.Device;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Everything that a plan depends on, at one moment. Data only.
 *
 * @param now the time
 * @param devices the devices; empty: units do not count
 * @param maxWorkers the largest number of workers, of all models together
 * @param maxWait how long a request waits at most before busy workers are drained for it
 * @param admission of models without one of their own
 * @param policy the order of victims
 * @param models all models, also those that the configuration has no more, while they have workers
 */
record PoolSnapshot(
        Instant now,
        List<Device> devices,
        int maxWorkers,
        Duration maxWait,
        Admission admission,
        EvictionPolicy policy,
        List<ModelSnapshot> models) {

    PoolSnapshot {
        devices = List.copyOf(devices);
        models = List.copyOf(models);
    }
}
