package io.github.workerregistry;

import static io.github.workerregistry.AcquireFixture.exit;
import static io.github.workerregistry.AcquireFixture.register;
import static io.github.workerregistry.AcquireFixture.worker;
import static io.github.workerregistry.WaitingCaller.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers whose request no worker can serve, and what their exception says. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireUnservableTest {

    private static final Duration SHORT = Duration.ofMillis(20);

    @RegisterExtension
    final AcquireFixture fixture = new AcquireFixture();

    private WorkerRegistry registry = WorkerRegistry.create();

    /** The part of a message on the state of a model, as a regular expression. */
    private static String shortage(String workers, int waiting) {
        return "\\(workers: " + workers + "; callers waiting: " + waiting + "; waited PT[\\d.]+S\\)";
    }

    @Test
    void unservableRequestFailsAtOnce() {
        assertThatThrownBy(() -> registry.acquire("m", LONG))
                .isInstanceOf(NoWorkerException.class)
                .hasMessageMatching("no worker serves m, and none is loading " + shortage("none", 0))
                .satisfies(e -> assertThat(((NoWorkerException) e).modelRef()).isEqualTo("m"));
        register(registry, "w", new Idle());
        registry.updateState("w", new Stopping(StopReason.IDLE_TIMEOUT));
        assertThatThrownBy(() -> registry.acquire("m", LONG)).isInstanceOf(NoWorkerException.class);
        register(registry, "v", new Loading(registry.clock().instant()));
        assertThatThrownBy(() -> registry.acquire(SlotRequest.forModel("m").onBackend("rocm"), LONG))
                .isInstanceOf(NoWorkerException.class);
        assertThatThrownBy(() -> registry.acquire("m", SHORT)).isInstanceOf(SlotTimeoutException.class);
    }

    @Test
    void requestFailsWithTheLastExitIfAllWorkersAreStopping() {
        register(registry, "w", new Idle());
        register(registry, "v", new Idle());
        registry.updateState("v", new Stopping(StopReason.REQUESTED));
        registry.supervision().remove(exit("w", Exit.Cause.CRASH_LOOP));

        assertThatThrownBy(() -> registry.acquire("m", LONG))
                .isInstanceOf(NoWorkerException.class)
                .hasMessageContainingAll("CRASH_LOOP", "exit code 3");
    }

    @Test
    void waitersFailWithTheExitOfTheLastWorker() throws Exception {
        register(registry, "w", new Loading(registry.clock().instant()));
        WaitingCaller first = fixture.waiting(registry, LONG);
        WaitingCaller second = fixture.waiting(registry, LONG);

        registry.supervision().remove(exit("w", Exit.Cause.CRASH_LOOP));

        assertThat(first.failure())
                .isInstanceOf(NoWorkerException.class)
                .hasMessageContainingAll("CRASH_LOOP", "exit code 3")
                .satisfies(e -> assertThat(
                                ((NoWorkerException) e).lastExit().orElseThrow().output())
                        .containsExactly("no memory"));
        assertThat(second.failure()).isInstanceOf(NoWorkerException.class);
    }

    @Test
    void callerWaitsForABackingOffWorker() throws Exception {
        register(registry, "w", new Loading(registry.clock().instant()));
        WaitingCaller caller = fixture.waiting(registry, LONG);

        registry.updateState("w", new BackingOff(1, registry.clock().instant(), exit("w", Exit.Cause.CRASHED)));
        registry.updateState("w", new Loading(registry.clock().instant()));
        registry.updateState("w", new Idle());

        assertThat(caller.lease().generation()).isEqualTo(2);
    }

    @Test
    void callersWaitForALaterWorkerUnlessFailIfAbsent() throws Exception {
        registry = WorkerRegistry.builder().failIfAbsent(false).build();
        WaitingCaller caller = fixture.waiting(registry, LONG);
        WaitingCaller impatient = fixture.waiting(registry, Duration.ofMillis(200));
        assertThat(impatient.failure()).isInstanceOf(SlotTimeoutException.class);

        register(registry, "w", new Loading(registry.clock().instant()));
        registry.clear();
        register(registry, "v", new Idle());

        assertThat(caller.lease().workerId()).isEqualTo("v");
    }

    @Test
    void unservableWaiterGetsNoExitButThatOfAMatchingWorker() throws Exception {
        register(registry, "old", new Idle());
        register(registry, "w", new Loading(registry.clock().instant()));
        registry.supervision().remove(exit("old", Exit.Cause.CRASHED));
        WaitingCaller caller =
                fixture.waiting(registry, SlotRequest.forModel("m").onDevice(0), LONG);
        registry.register(worker("other")
                .device(1)
                .state(new Loading(registry.clock().instant()))
                .build());

        registry.remove("w");

        assertThat(caller.failure())
                .isInstanceOf(NoWorkerException.class)
                .hasMessageMatching("no worker serves m on device 0, and none is loading " + shortage("1 loading", 0)
                        + "; last failure PT\\d+S ago: worker old, generation 1, CRASHED, exit code 3: no memory")
                .satisfies(e -> assertThat(((NoWorkerException) e).lastExit()).isEmpty());
        registry.supervision().remove(exit("other", Exit.Cause.CRASH_LOOP));
        assertThatThrownBy(() -> registry.acquire(SlotRequest.forModel("m").onBackend("rocm"), LONG))
                .hasMessageMatching("no worker serves m on backend rocm, and none is loading " + shortage("none", 0));
    }
}
