package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.SlotUnavailableException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * One history of a pool with two devices and four models, whose config changes, and what must hold after each of its
 * steps. The room is counted from outside, by the processes that run.
 */
final class PoolHistory {

    private static final List<String> MODELS = List.of("a", "b", "c", "d");
    private static final long[] CAPACITY = {3, 2};

    private final ChangingConfig config = new ChangingConfig(CAPACITY);
    private final VirtualPool pool = new VirtualPool(config.builder());
    private final Map<String, Integer> leased = new HashMap<>(); // the latest revision of each model
    private final List<String> broken = new ArrayList<>(); // a failure of a completion would be lost
    private final List<PendingSlot> pending = new ArrayList<>();
    private final List<CompletableFuture<?>> asked = new ArrayList<>();
    private final List<SlotLease> open = new ArrayList<>();
    private final Set<String> promised = new HashSet<>();
    private final Set<String> mayLoseLeases = new HashSet<>();

    /** What happens in a step. */
    enum Action {
        REQUEST,
        REQUEST_ON_DEVICE,
        CANCEL,
        RELEASE,
        READY,
        REPLACE_AND_ACQUIRE,
        CRASH,
        FAIL_NEXT_START,
        IGNORE_TERMINATE,
        LOAD,
        UNLOAD,
        PIN,
        UNPIN,
        REMOVE_RECORD,
        CHANGE_COMMAND,
        CHANGE_UNITS,
        CHANGE_MAX_WORKERS,
        REMOVE_OR_ADD_MODEL,
        MOVE_ALIAS,
        UPDATE_TO_THE_SAME,
        PASS_TIME,
        PASS_LONG_TIME
    }

    void step(Action action, int x) {
        String model = MODELS.get(x % MODELS.size());
        switch (action) {
            case REQUEST -> request(model, SlotRequest.forModel(x >= 28 ? ChangingConfig.ALIAS : model));
            case REQUEST_ON_DEVICE -> request(model, SlotRequest.forModel(model).onDevice(x % 2));
            case CANCEL -> pick(pending, x).forEach(PendingSlot::cancel);
            case RELEASE -> releaseAny(x);
            case READY -> pool.ready(model);
            case REPLACE_AND_ACQUIRE -> {
                update(() -> config.changeCommand(model));
                pool.run();
                ifKnown(model, () -> acquireAll(model));
                pool.registry.list(model).stream()
                        .filter(worker -> worker.state() instanceof Loading)
                        .forEach(worker -> pool.supervisor.reportReady(worker.id()));
                ifKnown(model, () -> acquireAll(model)); // before a pass has seen that they are ready
                releaseAll(model);
                ifKnown(model, () -> acquireAll(model));
            }
            case CRASH ->
                pick(pool.processes.running(), x).forEach(id -> {
                    mayLoseLeases.add(id);
                    pool.processes.exit(id, 1);
                });
            case FAIL_NEXT_START -> pool.processes.failNextStart("failed");
            case IGNORE_TERMINATE -> pick(pool.processes.running(), x).forEach(pool.processes::ignoreTerminate);
            case LOAD -> ifKnown(model, () -> asked.add(pool.pool.load(model).toCompletableFuture()));
            case UNLOAD ->
                ifKnown(model, () -> {
                    pool.registry.list(model).forEach(worker -> mayLoseLeases.add(worker.id()));
                    pool.pool.unload(model);
                });
            case PIN -> ifKnown(model, () -> pool.pool.pin(model, true));
            case UNPIN -> ifKnown(model, () -> pool.pool.pin(model, false));
            case REMOVE_RECORD ->
                pick(pool.registry.list(), x).forEach(worker -> {
                    mayLoseLeases.add(worker.id());
                    pool.registry.remove(worker.id());
                });
            case CHANGE_COMMAND -> update(() -> config.changeCommand(model));
            case CHANGE_UNITS -> update(() -> config.changeUnits(model));
            case CHANGE_MAX_WORKERS -> update(config::changeMaxWorkers);
            case REMOVE_OR_ADD_MODEL -> update(() -> config.removeOrAdd(model));
            case MOVE_ALIAS -> update(() -> config.moveAlias(model));
            case UPDATE_TO_THE_SAME -> update(() -> {});
            case PASS_TIME -> pool.advance(Duration.ofMillis(50L * (x + 1)));
            case PASS_LONG_TIME -> pool.advanceSeconds(x + 1);
        }
        pool.run();
        check();
    }

    private void update(Runnable change) {
        change.run();
        asked.add(pool.pool.update(config.builder().build()).completion().toCompletableFuture());
    }

    private void ifKnown(String model, Runnable call) {
        try {
            call.run();
            assertThat(config.has(model)).isTrue();
        } catch (UnknownModelException unknown) {
            assertThat(config.has(model)).isFalse();
        }
    }

    private void request(String model, SlotRequest request) {
        boolean known = config.has(request.modelRef().equals(ChangingConfig.ALIAS) ? config.aliased() : model);
        PendingSlot slot;
        try {
            slot = pool.pool.acquireAsync(request, VirtualPool.LONG, Runnable::run);
        } catch (UnknownModelException unknown) {
            assertThat(known).isFalse();
            return;
        }
        assertThat(known).isTrue();
        pending.add(slot);
        CompletableFuture<SlotLease> lease = slot.lease().toCompletableFuture();
        asked.add(lease);
        lease.thenAccept(this::granted);
    }

    private void granted(SlotLease lease) {
        open.add(lease);
        String model = lease.worker().modelRef();
        if (promised.contains(lease.workerId())) {
            broken.add("a lease of " + lease.workerId() + " after the promise");
        }
        int revision = revisionOf(lease.workerId());
        if (leased.merge(model, revision, Math::max) > revision) {
            broken.add("a lease of " + lease.workerId() + ", of an old revision");
        }
    }

    private void acquireAll(String model) {
        Optional<SlotLease> lease = pool.pool.tryAcquire(model);
        while (lease.isPresent()) {
            granted(lease.get());
            lease = pool.pool.tryAcquire(model);
        }
    }

    private void releaseAll(String model) {
        List.copyOf(open).stream()
                .filter(lease -> lease.worker().modelRef().equals(model))
                .forEach(lease -> {
                    open.remove(lease);
                    lease.close();
                });
    }

    private void releaseAny(int x) {
        pick(open, x).forEach(lease -> {
            open.remove(lease);
            lease.close();
        });
    }

    private int revisionOf(String workerId) {
        return Integer.parseInt(pool.processes.specOf(workerId).command().get(1));
    }

    private static <T> List<T> pick(List<T> list, int x) {
        return list.isEmpty() ? List.of() : List.of(list.get(x % list.size()));
    }

    private void check() {
        assertThat(broken).isEmpty();
        pool.events.stream()
                .filter(PoolEvent.Evicted.class::isInstance)
                .forEach(event ->
                        promised.add(((PoolEvent.Evicted) event).worker().id()));
        long[] claimed = new long[CAPACITY.length];
        for (String id : pool.processes.running()) {
            long units = Long.parseLong(pool.processes.specOf(id).command().get(2));
            String devices = pool.processes.specOf(id).environment().get("WORKER_DEVICES");
            for (String device : devices.split(",", -1)) {
                claimed[Integer.parseInt(device)] += units;
            }
        }
        assertThat(claimed[0]).as("units on device 0").isLessThanOrEqualTo(CAPACITY[0]);
        assertThat(claimed[1]).as("units on device 1").isLessThanOrEqualTo(CAPACITY[1]);
        Map<String, Integer> loading = new HashMap<>();
        for (WorkerInfo worker : pool.registry.list()) {
            if (worker.state() instanceof Loading) {
                loading.merge(worker.modelRef(), 1, Integer::sum);
            }
            if (promised.contains(worker.id())) {
                assertThat(worker.state()).isInstanceOf(Stopping.class);
            }
        }
        assertThat(loading.values()).as("loads of one model").allMatch(loads -> loads == 1);
        List<String> running = pool.processes.running();
        assertThat(open)
                .as("leases that another model ended")
                .allMatch(lease -> running.contains(lease.workerId()) || mayLoseLeases.contains(lease.workerId()));
    }

    /** Every request ends, with a lease or a typed error; then the pool is closed, and nothing is left. */
    void end() {
        MODELS.forEach(model -> ifKnown(model, () -> pool.pool.pin(model, false)));
        for (int i = 0; i < 200 && !asked.stream().allMatch(CompletableFuture::isDone); i++) {
            closeAll();
            MODELS.forEach(pool::ready);
            pool.advanceSeconds(1);
            check();
        }
        assertThat(asked).as("requests that have ended").allMatch(CompletableFuture::isDone);
        assertThat(asked).allSatisfy(PoolHistory::assertTyped);
        closeAll();
        pool.pool.close();
        pool.advanceSeconds(60);
        assertThat(pool.registry.list()).isEmpty();
        assertThat(pool.processes.running()).isEmpty();
        pool.supervisor.closeNow();
        pool.advance(VirtualPool.LONG.multipliedBy(2)); // the registry's own timer of the requests
        assertThat(pool.time.pendingTasks()).isZero();
    }

    /** Also those that are granted because of it. */
    private void closeAll() {
        while (!open.isEmpty()) {
            open.remove(0).close();
        }
    }

    private static void assertTyped(CompletableFuture<?> done) {
        try {
            done.join();
        } catch (CancellationException cancelled) {
            // by a step
        } catch (CompletionException e) {
            assertThat(e.getCause()).isInstanceOfAny(SlotUnavailableException.class, CancellationException.class);
        }
    }
}
