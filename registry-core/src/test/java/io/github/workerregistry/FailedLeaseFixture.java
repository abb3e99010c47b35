package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.backingOff;

import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A registry in virtual time whose failed leases the test itself checks: a check passes when the test resumes it. */
final class FailedLeaseFixture implements AfterEachCallback {

    /** Longer than any test runs. */
    static final Duration LONG = Duration.ofHours(1);

    final IOException failure = new IOException("connection reset");
    final VirtualTime time = new VirtualTime();
    final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).node("here").build();

    /** The failed leases, in the order in which they failed. */
    final List<FailedLease> checked = new ArrayList<>();

    /** Ends the checks: their timers would run for an hour. */
    @Override
    public void afterEach(ExtensionContext context) {
        checked.forEach(FailedLease::resume);
    }

    /** From now on each failed lease is checked until the test resumes it. */
    void registerLeaseChecker() {
        registry.supervision().registerLeaseChecker(lease -> {
            checked.add(lease);
            return Optional.of(LONG);
        });
    }

    SlotLease acquireFrom(String id) {
        return registry.tryAcquireFrom(id).orElseThrow();
    }

    static CompletableFuture<LeaseEnd> endOf(SlotLease lease) {
        return lease.whenEnded().toCompletableFuture();
    }

    void restart(String id) {
        registry.updateState(id, backingOff(registry.get(id).orElseThrow()));
        registry.updateState(id, LOADING);
        registry.updateState(id, IDLE);
    }
}
