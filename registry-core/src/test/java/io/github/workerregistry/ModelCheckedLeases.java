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
        supervision.checkFailedLeases(lease -> {
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

    static SlotFilter filter(int choice) {
        return List.of(
                        SlotFilter.any(),
                        SlotFilter.any().onBackend("cpu"),
                        SlotFilter.any().onDevice(1),
                        SlotFilter.any().onBackend("cuda").onDevice(0),
                        SlotFilter.any().where(worker -> worker.restarts() == 0))
                .get(choice % 5);
    }

    void acquire(String modelRef, SlotFilter filter, Callable<SlotLease> acquisition) {
        if (free(modelRef, filter).isEmpty()) {
            boolean servable = model.of(modelRef).anyMatch(worker -> worker.canEverServe() && fits(worker, filter));
            assertThat(catchThrowable(acquisition::call))
                    .isInstanceOf(servable ? SlotTimeoutException.class : NoWorkerException.class);
        } else {
            leased(Optional.of(call(acquisition)), modelRef, filter);
        }
    }

    private static SlotLease call(Callable<SlotLease> acquisition) {
        try {
            return acquisition.call();
        } catch (Exception e) {
            throw new AssertionError("a slot is free", e);
        }
    }

    void leased(Optional<SlotLease> lease, String modelRef, SlotFilter filter) {
        List<ModelledWorker> free = free(modelRef, filter);
        assertThat(lease.isPresent()).isEqualTo(!free.isEmpty());
        lease.ifPresent(acquired -> {
            ModelledWorker worker = model.get(acquired.workerId());
            assertThat(free).contains(worker);
            assertThat(free)
                    .as("the default is PACK: a busy worker is preferred")
                    .noneMatch(other -> other.inUse > 0 && worker.inUse == 0);
            leased(acquired, worker);
        });
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

    private List<ModelledWorker> free(String modelRef, SlotFilter filter) {
        return model.of(modelRef)
                .filter(ModelledWorker::canLease)
                .filter(worker -> passes(worker, filter))
                .toList();
    }

    private static boolean fits(ModelledWorker worker, SlotFilter filter) {
        return filter.backend().orElse(worker.backend).equals(worker.backend)
                && filter.device().orElse(worker.device) == worker.device;
    }

    private static boolean passes(ModelledWorker worker, SlotFilter filter) {
        return fits(worker, filter) && filter.predicate().stream().allMatch(test -> test.test(worker.info()));
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
