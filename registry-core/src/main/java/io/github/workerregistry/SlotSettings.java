package io.github.workerregistry;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Settings of a registry's slots.
 *
 * @param selection which worker serves the next request
 * @param waitQueueCapacity maximum number of requests waiting for one model
 * @param failIfAbsent whether unservable requests fail
 * @param affinityTtl how long an affinity key is kept without use
 * @param affinityCapacity maximum number of affinity keys of one model
 * @param timer of deadlines; null: the JDK's
 * @param leaks leases open for too long; null if they are not reported
 */
record SlotSettings(
        SlotSelection selection,
        int waitQueueCapacity,
        boolean failIfAbsent,
        Duration affinityTtl,
        int affinityCapacity,
        @Nullable ScheduledExecutorService timer,
        @Nullable LeaseLeaks leaks) {}
