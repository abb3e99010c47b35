package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.RegistryModel.Lease;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Asynchronous requests, each made of the registry and of a plain list, which is walked after every step. They are
 * completed by {@code Runnable::run}, so nothing is outstanding between two steps.
 */
final class ModelCheckedWaiters {

    /** Requests that may wait for one model. */
    static final int CAPACITY = 3;

    private static final List<Duration> TIMEOUTS = List.of(
            Duration.ZERO, Duration.ofSeconds(1), Duration.ofSeconds(30), Duration.ofDays(1), Duration.ofDays(999_999));

    private final VirtualTime time;
    private final WorkerRegistry registry;
    private final RegistryModel model;
    private final ModelCheckedLeases leases;

    /** In the order of arrival. */
    private final List<Request> requests = new ArrayList<>();

    ModelCheckedWaiters(RegistryWithModel both, ModelCheckedLeases leases) {
        this.time = both.time();
        this.registry = both.registry();
        this.model = both.model();
        this.leases = leases;
    }

    /** What the work of {@link WorkerRegistry#withSlot} does. */
    private enum Work {
        GOES_ON,
        THROWS,
        IS_NULL
    }

    /** A request, what became of it, and what the registry has reported so far. */
    private final class Request {
        private final SlotRequest request;
        private final Duration timeout;
        private final Instant since = time.instant();
        private boolean waits = true;
        private @Nullable PendingSlot pending;
        private @Nullable SlotLease lease;
        private @Nullable Throwable failure;
        private final Work work;
        private final CompletableFuture<Integer> running = new CompletableFuture<>();
        private @Nullable CompletableFuture<Integer> result;

        Request(SlotRequest request, Duration timeout, Work work) {
            this.request = request;
            this.timeout = timeout;
            this.work = work;
        }

        private void ended(@Nullable SlotLease granted, @Nullable Throwable failed) {
            assertThat(lease).as("reported once").isNull();
            assertThat(failure).as("reported once").isNull();
            lease = granted;
            failure = failed instanceof CompletionException wrapper ? wrapper.getCause() : failed;
        }

        private CompletionStage<Integer> workWith(SlotLease granted) {
            ended(granted, null);
            if (work == Work.THROWS) {
                throw new IllegalStateException("thrown by the work");
            }
            return work == Work.IS_NULL ? null : running;
        }

        private boolean isOver(Instant now) {
            return Duration.between(since, now).compareTo(timeout) >= 0;
        }

        private boolean isWorking() {
            return result != null && lease != null && !running.isDone() && work == Work.GOES_ON;
        }
    }

    void acquireAsync(SlotRequest request, int choice) {
        Request made = new Request(request, TIMEOUTS.get(choice % TIMEOUTS.size()), Work.GOES_ON);
        made.pending = registry.acquireAsync(request, made.timeout, Runnable::run);
        made.pending.lease().whenComplete(made::ended);
        assertThat((Object) made.pending.lease()).isSameAs(made.pending.lease());
        add(made);
    }

    void withSlot(SlotRequest request, int choice) {
        Work work = choice % 6 == 0 ? Work.THROWS : choice % 6 == 1 ? Work.IS_NULL : Work.GOES_ON;
        Request made = new Request(request, TIMEOUTS.get(choice % TIMEOUTS.size()), work);
        made.result = registry.withSlot(request, made.timeout, Runnable::run, made::workWith)
                .toCompletableFuture();
        made.result.whenComplete((value, failure) -> {
            if (made.lease == null) {
                made.ended(null, failure);
            }
        });
        add(made);
    }

    private void add(Request made) {
        SlotRequest request = made.request;
        boolean isFull = isFull(request.modelRef());
        requests.add(made);
        if (!leases.free(request).isEmpty()) {
            leases.leased(Optional.ofNullable(made.lease), request);
            acquired(made);
        } else if (!request.waitsIfAbsent() && !leases.isServable(request)) {
            model.refused++;
            failed(made, NoWorkerException.class);
        } else if (isFull) {
            model.refused++;
            failed(made, SlotQueueFullException.class);
        } else if (made.timeout.isZero()) {
            model.timedOut++;
            failed(made, SlotTimeoutException.class);
        }
    }

    /** The lease is in the model. */
    private void acquired(Request granted) {
        granted.waits = false;
        if (granted.result != null && granted.work != Work.GOES_ON) {
            model.closed(leaseOf(granted));
            assertThat(failureOf(granted.result))
                    .isInstanceOf(
                            granted.work == Work.THROWS ? IllegalStateException.class : NullPointerException.class);
        }
    }

    private void failed(Request failed, Class<? extends Throwable> type) {
        failed.waits = false;
        assertThat(failed.failure).isInstanceOf(type);
        if (failed.result != null) {
            assertThat(failed.result).isCompletedExceptionally();
        }
    }

    /** The exception of a stage that has completed. */
    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isCompletedExceptionally();
        return future.handle((value, failure) ->
                        failure instanceof CompletionException wrapper ? wrapper.getCause() : failure)
                .join();
    }

    private Lease leaseOf(Request granted) {
        return model.leases.stream()
                .filter(lease -> lease.lease == granted.lease)
                .findAny()
                .orElseThrow();
    }

    void cancelSome(int choice) {
        List<Request> pending =
                requests.stream().filter(request -> request.pending != null).toList();
        if (!pending.isEmpty()) {
            Request request = pending.get(Math.max(0, pending.size() - 1 - choice % 5));
            boolean waits = request.waits;
            assertThat(request.pending.cancel()).isEqualTo(waits);
            if (waits) {
                model.cancelled++;
                waitEnded(request, time.instant());
                failed(request, CancellationException.class);
            }
        }
    }

    void endSomeWork(int choice) {
        List<Request> working = requests.stream().filter(Request::isWorking).toList();
        if (!working.isEmpty()) {
            Request request = working.get(choice % working.size());
            assertThat(request.result).isNotDone();
            if (choice % 3 == 0) {
                request.running.completeExceptionally(new IllegalStateException("no answer"));
                assertThat(failureOf(request.result)).hasMessage("no answer");
            } else {
                request.running.complete(choice);
                assertThat(request.result).isCompletedWithValue(choice);
            }
            model.closed(leaseOf(request));
        }
    }

    /** Virtual time has been advanced. */
    void expire() {
        for (Request request : List.copyOf(requests)) {
            if (request.waits && request.isOver(time.instant())) {
                model.timedOut++;
                waitEnded(request, request.since.plus(request.timeout));
                failed(request, SlotTimeoutException.class);
            }
        }
    }

    /** Slots may have become free, or requests unservable. */
    void settle() {
        for (String modelRef : ModelCheckedRegistry.MODELS) {
            for (Request next : waiting(modelRef)) {
                List<ModelledWorker> free = leases.free(next.request);
                if (!free.isEmpty()) {
                    assertThat(next.lease).as("granted: %s", next.request).isNotNull();
                    assertThat(free).contains(model.get(next.lease.workerId()));
                    leases.leased(next.lease, next.request);
                    model.granted++;
                    waitEnded(next, time.instant());
                    acquired(next);
                }
            }
            for (Request next : waiting(modelRef)) {
                if (!next.request.waitsIfAbsent() && !leases.isServable(next.request)) {
                    model.refused++;
                    waitEnded(next, time.instant());
                    failed(next, NoWorkerException.class);
                }
            }
        }
    }

    private void waitEnded(Request request, Instant now) {
        model.timeWaited = model.timeWaited.plus(Duration.between(request.since, now));
    }

    boolean isFull(String modelRef) {
        return waiting(modelRef).size() >= CAPACITY;
    }

    /** A copy, in the order of the wait queue. The sort is stable. */
    private List<Request> waiting(String modelRef) {
        return requests.stream()
                .filter(request -> request.waits && request.request.modelRef().equals(modelRef))
                .sorted(Comparator.comparing(request -> request.request.priority(), Comparator.reverseOrder()))
                .toList();
    }

    void compare() {
        int total = 0;
        for (String modelRef : ModelCheckedRegistry.MODELS) {
            List<Request> waiting = waiting(modelRef);
            total += waiting.size();
            assertThat(registry.waiting(modelRef)).isEqualTo(waiting.size());
            for (int i = 0; i < waiting.size(); i++) {
                comparePosition(waiting.get(i), OptionalInt.of(i));
            }
        }
        model.waiting = total;
        for (Request request : requests) {
            if (request.waits) {
                assertThat(request.lease).isNull();
                assertThat(request.failure).isNull();
            } else {
                comparePosition(request, OptionalInt.empty());
            }
            if (request.isWorking()) {
                assertThat(request.result).isNotDone();
            }
        }
    }

    private static void comparePosition(Request request, OptionalInt position) {
        if (request.pending != null) {
            assertThat(request.pending.position()).isEqualTo(position);
        }
    }
}
