package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.workerregistry.RegistryModel.Lease;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;

/** Leases, their failures and leaks, each done on the registry and on its model and compared. */
final class ModelCheckedLeases implements AutoCloseable {

    static final Duration LEAK_THRESHOLD = Duration.ofSeconds(20);

    private final ListAppender<ILoggingEvent> leakLog = new ListAppender<>();

    /** The failed leases that the checker was asked to check. */
    private final List<FailedLease> checked = new ArrayList<>();

    private boolean checks;

    private final VirtualTime time;
    private final WorkerRegistry registry;
    private final Supervision supervision;
    private final RegistryModel model;

    ModelCheckedLeases(RegistryWithModel both) {
        this.time = both.time();
        this.registry = both.registry();
        this.supervision = both.supervision();
        this.model = both.model();
        supervision.registerLeaseChecker(lease -> {
            checked.add(lease);
            return checks ? Optional.of(Duration.ofDays(1)) : Optional.empty();
        });
        leakLog.start();
        leakLogger().addAppender(leakLog);
    }

    private static Logger leakLogger() {
        return (Logger) LoggerFactory.getLogger(LeaseLeaks.class);
    }

    /** Ends the checks: their timers would run for a day. */
    @Override
    public void close() {
        checked.forEach(FailedLease::resume);
        leakLogger().detachAppender(leakLog);
    }

    /** Acquires a slot of one worker. */
    void tryAcquireFrom(String id, ModelledWorker worker) {
        Optional<SlotLease> lease = registry.tryAcquireFrom(id);
        assertThat(lease.isPresent()).isEqualTo(worker != null && worker.canLease());
        lease.ifPresent(acquired -> leased(acquired, worker));
    }

    void closeSome(int choice) {
        if (!model.leases.isEmpty()) {
            Lease lease = someLease(choice);
            lease.lease.close();
            model.closed(lease);
        }
    }

    void failSome(int choice, boolean isChecked) {
        if (!model.leases.isEmpty()) {
            fail(someLease(choice), isChecked);
        }
    }

    void passSomeCheck(int choice) {
        if (!checked.isEmpty()) {
            FailedLease failed = checked.get(Math.max(0, checked.size() - 1 - choice % 3));
            assertThat(failed.resume()).isEqualTo(model.pass(failed));
        }
    }

    /** Some of them are equal, and some accept no worker or all. */
    static SlotRequest request(String modelRef, int x, int y) {
        SlotRequest any = SlotRequest.forModel(modelRef);
        SlotRequest constrained = List.of(
                        any,
                        any.onBackend("cpu"),
                        any.onDevice(1),
                        any.onBackend("cuda").onDevice(0),
                        any.withLabel("tier", "fast"),
                        any.excluding("a"),
                        any.excluding("b").onBackend("cpu"),
                        any.excluding("a").excluding("b"))
                .get(y % 8);
        SlotRequest ordered = constrained.priority(x / 2 % 3 - 1);
        SlotRequest keyed = x % 5 > 2 ? ordered.affinity("session-" + y % 2) : ordered;
        return x % 7 < 3 ? keyed.waitIfAbsent() : keyed;
    }

    /** A caller that does not wait, although it may join the wait queue. */
    void acquire(SlotRequest request, boolean isFull, Callable<SlotLease> acquisition) {
        if (!free(request).isEmpty()) {
            leased(Optional.of(call(acquisition)), request);
        } else if (!request.waitsIfAbsent() && !isServable(request)) {
            model.refused++;
            assertThat(catchThrowable(acquisition::call)).isInstanceOf(NoWorkerException.class);
        } else if (isFull) {
            model.refused++;
            assertThat(catchThrowable(acquisition::call)).isInstanceOf(SlotQueueFullException.class);
        } else {
            model.timedOut++;
            assertThat(catchThrowable(acquisition::call)).isInstanceOf(SlotTimeoutException.class);
        }
    }

    private static SlotLease call(Callable<SlotLease> acquisition) {
        try {
            return acquisition.call();
        } catch (Exception e) {
            throw new AssertionError("a slot is free", e);
        }
    }

    /** A request has got this slot, or none, without waiting. */
    void leased(Optional<SlotLease> lease, SlotRequest request) {
        List<ModelledWorker> free = free(request);
        assertThat(lease.isPresent()).isEqualTo(!free.isEmpty());
        lease.ifPresent(acquired -> {
            ModelledWorker worker = model.get(acquired.workerId());
            assertThat(free).contains(worker);
            if (request.affinity().isPresent()) {
                List<ModelledWorker> qualified = model.of(request.modelRef())
                        .filter(other -> other.isLeased() && fits(other, request))
                        .toList();
                assertThat(model.affinities.preferred(request, free, qualified)).contains(worker);
            } else {
                assertThat(free)
                        .as("the default is PACK: a busy worker is preferred")
                        .noneMatch(other -> other.inUse > 0 && worker.inUse == 0);
            }
            leased(acquired, request);
        });
    }

    /** A request has got this slot. */
    void leased(SlotLease lease, SlotRequest request) {
        ModelledWorker worker = model.get(lease.workerId());
        leased(lease, worker);
        model.affinities.served(request, worker);
    }

    private void leased(SlotLease lease, ModelledWorker worker) {
        assertThat(lease.incarnation()).isEqualTo(worker.incarnation());
        assertThat(lease.generation()).isEqualTo(worker.generation);
        assertThat(lease.workerId()).isEqualTo(worker.id);
        model.leased(lease, worker, time.instant());
        if (model.leases.size() % 2 == 0) {
            model.leases.get(model.leases.size() - 1).endStage = Optional.of(lease.whenEnded());
        }
    }

    /** The workers that have a free slot for a request. */
    List<ModelledWorker> free(SlotRequest request) {
        return model.of(request.modelRef())
                .filter(worker -> worker.canLease() && fits(worker, request))
                .toList();
    }

    /** Whether a worker may serve the request, now or later. */
    boolean isServable(SlotRequest request) {
        return model.of(request.modelRef()).anyMatch(worker -> worker.canEverServe() && fits(worker, request));
    }

    private static boolean fits(ModelledWorker worker, SlotRequest request) {
        return request.backend().orElse(worker.backend).equals(worker.backend)
                && request.device().orElse(worker.device) == worker.device
                && request.labels().entrySet().stream()
                        .allMatch(label -> label.getValue().equals(worker.labels.get(label.getKey())))
                && !request.excluded().contains(worker.id);
    }

    private Lease someLease(int choice) {
        return model.leases.get(Math.max(0, model.leases.size() - 1 - choice % 8));
    }

    private void fail(Lease lease, boolean isChecked) {
        checks = isChecked;
        int before = checked.size();
        boolean valid = lease.isValid();
        lease.lease.fail(new IllegalStateException("no answer"));
        assertThat(checked).hasSize(valid ? before + 1 : before);
        if (valid && isChecked) {
            assertThat(checked.get(before).worker().id()).isEqualTo(lease.worker.id);
            model.failed(lease, checked.get(before));
        } else {
            model.closed(lease);
        }
    }

    void reportLeaks() {
        leakLog.list.clear();
        List<Object> expected = new ArrayList<>();
        for (Lease lease : model.leases) {
            boolean old = !lease.acquiredAt.plus(LEAK_THRESHOLD).isAfter(time.instant());
            if (old && lease.isValid() && !lease.reported) {
                lease.reported = true;
                expected.add(lease.lease.toString());
            }
        }
        if (!expected.isEmpty()) {
            UnexpectedWarnings.expect(LeaseLeaks.class, Level.WARN, LEAK_THRESHOLD.toString());
        }
        supervision.reportLeaks();
        assertThat(leakLog.list)
                .extracting(report -> report.getArgumentArray()[0])
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    private static void compareEnds(Lease lease) {
        assertThat(lease.lease.lostWithin(Duration.ZERO))
                .isEqualTo(lease.end.filter(LeaseEnd.Lost.class::isInstance).isPresent());
        lease.endStage.ifPresent(endStage -> assertThat(
                        Optional.ofNullable(endStage.toCompletableFuture().getNow(null)))
                .isEqualTo(lease.end));
        if (lease.end.isPresent()) {
            assertThat(lease.lease.whenEnded().toCompletableFuture().getNow(null))
                    .isEqualTo(lease.endReportedNow().orElseThrow());
        }
    }

    void compare() {
        for (Lease lease : model.leases) {
            assertThat(lease.lease.isValid()).isEqualTo(lease.isValid());
            assertThat(lease.lease.url()).isEqualTo(lease.url);
            compareEnds(lease);
        }
        for (ModelledWorker worker : model.members.values()) {
            long open = model.leases.stream()
                    .filter(lease -> lease.worker == worker && lease.isValid())
                    .count();
            assertThat((long) worker.inUse).isEqualTo(worker.reported ? worker.inUse : open);
        }
    }
}
