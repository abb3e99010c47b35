package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The next generation of a worker with another specification, in the registry. */
@ExtendWith(UnexpectedWarnings.class)
class SupervisionReplaceTest {

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Supervision supervision = registry.supervision();
    private final RecordingListener heard = new RecordingListener();

    private WorkerInfo now() {
        return registry.get("w").orElseThrow();
    }

    /** The next generation, with every property changed. */
    private static WorkerInfo.Builder next(WorkerInfo seen) {
        return seen.toBuilder()
                .url("http://b")
                .backend("cuda")
                .device(1)
                .slotsTotal(3)
                .labels(Map.of("tier", "fast"))
                .state(new Loading(START.plusSeconds(5)));
    }

    /** Registers a worker whose process has exited. */
    private WorkerInfo ended(int slots) {
        registry.register(idle("w", slots));
        WorkerInfo seen =
                registry.updateState("w", backingOff(idle("w", slots))).orElseThrow();
        registry.subscribe(heard, Runnable::run);
        return seen;
    }

    private List<SlotLease> leaseAll() {
        List<SlotLease> leases = new ArrayList<>();
        registry.tryAcquireFrom("w").ifPresent(leases::add);
        for (Optional<SlotLease> more = registry.tryAcquire(MODEL);
                more.isPresent();
                more = registry.tryAcquire(MODEL)) {
            leases.add(more.get());
        }
        return leases;
    }

    @Test
    void theNextGenerationHasTheNewPropertiesAndIsOtherwiseARestart() {
        WorkerInfo seen = ended(1);

        WorkerInfo after = supervision
                .replaceIfUnchanged(
                        seen,
                        next(seen)
                                .generation(77)
                                .restarts(88)
                                .pid(99)
                                .suspected(true)
                                .build())
                .orElseThrow();

        assertThat(after)
                .isEqualTo(now())
                .isEqualTo(next(seen)
                        .generation(2)
                        .restarts(1)
                        .startedAt(START.plusSeconds(5))
                        .lastActivity(after.lastActivity())
                        .build());
        assertThat(heard.events()).containsExactly(new WorkerEvent.Restarted(after));
        assertThat(registry.stats().restarted()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,2", "1,5", "2,1", "2,7", "5,1", "5,2"})
    void theNumberOfSlotsIsThatOfTheGeneration(int before, int after) {
        registry.register(idle("w", before));
        List<SlotLease> old = leaseAll();
        assertThat(old).hasSize(before);
        WorkerInfo seen = registry.updateState("w", backingOff(now())).orElseThrow();
        supervision.replaceIfUnchanged(seen, next(seen).slotsTotal(after).build());
        registry.updateState("w", IDLE);

        List<SlotLease> leases = leaseAll();

        assertThat(leases)
                .hasSize(after)
                .allMatch(SlotLease::isValid)
                .allMatch(lease -> lease.url().equals("http://b"));
        assertThat(old).noneMatch(SlotLease::isValid);
        old.forEach(SlotLease::close); // void: releases nothing of the next generation
        assertThat(old)
                .allSatisfy(lease -> assertThat(lease.lostWithin(Duration.ZERO)).isTrue());
        assertThat(now().slotsInUse()).isEqualTo(after);
        leases.forEach(SlotLease::close);
        leases.forEach(SlotLease::close);
        assertThat(now().slotsInUse()).isZero();
        assertThat(leaseAll()).hasSize(after);
    }

    @Test
    void requestsMatchTheNewProperties() {
        WorkerInfo seen = ended(1);
        supervision.replaceIfUnchanged(seen, next(seen).build());
        registry.updateState("w", IDLE);

        assertThat(registry.tryAcquire(SlotRequest.forModel(MODEL).onBackend("cpu")))
                .isEmpty();
        assertThat(registry.tryAcquire(SlotRequest.forModel(MODEL)
                        .onBackend("cuda")
                        .onDevice(1)
                        .withLabel("tier", "fast")))
                .isPresent();
    }

    @Test
    void aWaiterThatTheNewSpecificationCannotServeFails() {
        WorkerInfo seen = ended(1);
        CompletableFuture<SlotLease> waiting = registry.acquireAsync(
                        SlotRequest.forModel(MODEL).onBackend("cpu"), Duration.ofMinutes(1), Runnable::run)
                .lease()
                .toCompletableFuture();
        assertThat(waiting).isNotDone();

        supervision.replaceIfUnchanged(seen, next(seen).build());

        assertThat(waiting).failsWithin(Duration.ZERO).withThrowableThat().withCauseInstanceOf(NoWorkerException.class);
    }

    /** Only a worker that is replaced in place serves again after its stop. */
    @ParameterizedTest
    @CsvSource({"true,true", "false,false"})
    void aRequestWaitsForAWorkerThatIsReplacedInPlace(boolean inPlace, boolean waits) {
        registry.register(idle("w", 1));
        registry.updateState("w", new Stopping(StopReason.REPLACED, inPlace));

        CompletableFuture<SlotLease> waiting = registry.acquireAsync(
                        SlotRequest.forModel(MODEL), Duration.ofMinutes(1), Runnable::run)
                .lease()
                .toCompletableFuture();

        assertThat(waiting.isDone()).isEqualTo(!waits);
    }

    @Test
    void theEventsOfAReplacementInPlaceAreThoseOfARestart() {
        registry.register(idle("w", 1));
        registry.subscribe(heard, Runnable::run);
        registry.updateState("w", new Stopping(StopReason.REPLACED, true));
        Exit exit = exit(now(), Exit.Cause.REPLACED, 0);
        WorkerInfo seen =
                registry.updateState("w", new BackingOff(1, START, exit)).orElseThrow();
        supervision.replaceIfUnchanged(seen, next(seen).build());
        registry.updateState("w", IDLE);

        assertThat(heard.historyOf("w")).containsExactly("StopStarted", "RestartScheduled", "Restarted", "BecameReady");
        assertThat(registry.stats().endedBy()).containsExactly(Map.entry(Exit.Cause.REPLACED, 1L));
        assertThat(registry.stats().slotsTotal()).isEqualTo(3);
    }

    @Test
    void aWorkerThatHasChangedIsNotReplaced() {
        WorkerInfo seen = ended(1);
        registry.updateState("w", LOADING);
        WorkerInfo restarted = now();

        assertThat(supervision.replaceIfUnchanged(seen, next(seen).build())).isEmpty();

        assertThat(now()).isEqualTo(restarted);
        registry.remove("w");
        assertThat(supervision.replaceIfUnchanged(seen, next(seen).build())).isEmpty();
    }

    @Test
    void onlyABackingOffWorkerIsReplaced() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now();

        assertThatExceptionOfType(IllegalTransitionException.class)
                .isThrownBy(
                        () -> supervision.replaceIfUnchanged(seen, next(seen).build()));

        assertThat(now()).isEqualTo(seen);
        assertThat(leaseAll()).hasSize(1);
    }

    @Test
    void theNextGenerationMustBeOfTheSameWorkerAndModelAndLoading() {
        WorkerInfo seen = ended(1);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> supervision.replaceIfUnchanged(
                        seen, next(seen).id("other").build()))
                .withMessage("id of next must be w, was other");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> supervision.replaceIfUnchanged(
                        seen, next(seen).modelRef("other").build()))
                .withMessage("modelRef of next must be " + MODEL + ", was other");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> supervision.replaceIfUnchanged(
                        seen, next(seen).state(IDLE).build()))
                .withMessage("next must be loading, was idle");
        assertThat(now()).isEqualTo(seen);
    }
}
