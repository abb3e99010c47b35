package io.github.workerregistry.lifecycle;

/**
 * How a shutdown went. {@code workers = exited + killed + unkillable}.
 *
 * @param workers how many workers there were to end
 * @param exited how many ended without a kill
 * @param killed how many had to be killed
 * @param unkillable how many were still there after the kill
 * @param cutOff how many were asked to end while leases were still open, because the time to drain was over; of any of
 *     the above
 */
public record ShutdownReport(int workers, int exited, int killed, int unkillable, int cutOff) {}
