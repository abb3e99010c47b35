package io.github.workerregistry.examples.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotTimeoutException;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.dispatcher.Dispatcher.Counts;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/**
 * How to test a hive's reaction to crashing, idle or failing workers: with fake processes, scripted probes and virtual
 * time. Nothing sleeps, so minutes of virtual time take milliseconds. A second thread is needed only where the
 * dispatcher waits for the supervisor.
 */
@ExpectWarnings({"has ended: CRASHED", "has ended: CRASH_LOOP", "3 health checks failed in a row", "is not ready after"
})
class DispatcherTest {

    private static final WorkerSpec SPEC = WorkerSpec.builder()
            .modelRef("tiny")
            .command("serve", "--port", "1234")
            .url("http://worker")
            .build();

    private final VirtualTime time = new VirtualTime();
    private final FakeProcessController processes = new FakeProcessController();
    private final ScriptedHealthProbe probe = new ScriptedHealthProbe();
    private final RecordingListener events = new RecordingListener();
    private final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
            .processController(processes)
            .healthProbe(probe)
            .build();

    /** The workers that received requests, in order. */
    private final List<String> receivers = new ArrayList<>();

    private Backend<String, String> backend = (slot, prompt) -> "answer to " + prompt;
    private final Dispatcher<String, String> dispatcher = new Dispatcher<>(registry, this::send, Duration.ZERO, 3);

    DispatcherTest() {
        registry.subscribe(events, Runnable::run);
    }

    private String send(SlotLease slot, String prompt) throws IOException {
        receivers.add(slot.workerId());
        return backend.send(slot, prompt);
    }

    @Test
    void requestIsAnsweredAndItsSlotIsReleased() throws Exception {
        String id = spawnReady();

        assertThat(dispatcher.dispatch("tiny", "hello")).isEqualTo("answer to hello");

        assertThat(receivers).containsExactly(id);
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
        assertThat(dispatcher.counts()).isEqualTo(new Counts(1, 0, 0));
    }

    /** As in a real crash: the connection breaks before the exit is detected. */
    @Test
    void requestToAnUndetectedCrashedWorkerIsAnsweredByAnother() throws Exception {
        spawnReady();
        spawnReady();
        backend = (slot, prompt) -> receivers.size() == 1 ? crashUnnoticed(slot) : "answer to " + prompt;

        assertThat(dispatchWhileTheSupervisorRuns("hello")).isEqualTo("answer to hello");

        assertThat(receivers).hasSize(2).doesNotHaveDuplicates();
        assertThat(dispatcher.counts()).isEqualTo(new Counts(1, 1, 0));
        assertThat(registry.get(receivers.get(0)).orElseThrow().state()).isInstanceOf(BackingOff.class);
        assertThat(registry.get(receivers.get(1)).orElseThrow().slotsInUse()).isZero();
    }

    @Test
    void requestWhoseWorkerCrashesIsAnsweredByAnother() throws Exception {
        spawnReady();
        spawnReady();
        backend = (slot, prompt) -> receivers.size() == 1 ? crash(slot) : "answer to " + prompt;

        assertThat(dispatcher.dispatch("tiny", "hello")).isEqualTo("answer to hello");

        assertThat(receivers).hasSize(2).doesNotHaveDuplicates();
        assertThat(dispatcher.counts()).isEqualTo(new Counts(1, 1, 0));
        assertThat(registry.get(receivers.get(0)).orElseThrow().state()).isInstanceOf(BackingOff.class);
        assertThat(registry.get(receivers.get(1)).orElseThrow().slotsInUse()).isZero();
    }

    @Test
    void requestThatCrashesEveryWorkerIsSentALimitedNumberOfTimes() {
        spawnReady();
        spawnReady();
        spawnReady();
        spawnReady();
        backend = (slot, prompt) -> crash(slot);

        assertThatThrownBy(() -> dispatcher.dispatch("tiny", "poison"))
                .isInstanceOf(WorkerLostException.class)
                .hasMessageEndingWith("was lost during a request: connection reset");

        assertThat(receivers).hasSize(3);
        assertThat(dispatcher.counts()).isEqualTo(new Counts(0, 2, 1));
        assertThat(registry.tryAcquire("tiny"))
                .as("the fourth worker is healthy")
                .isPresent();
    }

    @Test
    void requestThatFailsOnAHealthyWorkerIsNotSentAgain() {
        String id = spawnReady();
        backend = (slot, prompt) -> {
            throw new IOException("status 400");
        };

        assertThatThrownBy(() -> dispatchWhileTheSupervisorRuns("nonsense")).hasMessage("status 400");

        assertThat(receivers).containsExactly(id);
        assertThat(registry.tryAcquireFrom(id)).as("it has answered a probe").hasValueSatisfying(SlotLease::close);
        assertThat(registry.get(id).orElseThrow().slotsInUse()).isZero();
        assertThat(dispatcher.counts()).isEqualTo(new Counts(0, 0, 1));
    }

    @Test
    void idleWorkerIsStoppedAndAUsedOneIsNot() throws Exception {
        String id = spawnReady();
        for (int minute = 0; minute < 20; minute += 4) {
            time.advance(Duration.ofMinutes(4));
            dispatcher.dispatch("tiny", "hello");
        }

        time.advance(Duration.ofMinutes(7)); // idle for more than five, with a check every minute

        assertThat(events.historyOf(id))
                .containsExactly("Registered", "BecameReady", "IdleTimedOut", "StopStarted", "Removed");
        assertThat(supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause)
                .isEqualTo(Exit.Cause.IDLE_TIMEOUT);
        assertThatThrownBy(() -> dispatcher.dispatch("tiny", "too late")).isInstanceOf(NoWorkerException.class);
        assertThat(dispatcher.counts()).isEqualTo(new Counts(5, 0, 1));
    }

    @Test
    void unhealthyWorkerGetsNoRequests() throws Exception {
        String id = spawnReady();
        probe.answer(id, HealthStatus.unhealthy("out of memory"));

        time.advance(Duration.ofMinutes(2));

        assertThat(events.historyOf(id)).contains("HealthCheckFailed", "Crashed", "RestartScheduled");
        assertThatThrownBy(() -> dispatcher.dispatch("tiny", "hello")).isInstanceOf(SlotTimeoutException.class);
        probe.answer(id, HealthStatus.healthy());
        time.advance(Duration.ofSeconds(10)); // it is restarted, and its first healthy probe makes it ready
        assertThat(dispatcher.dispatch("tiny", "hello")).isEqualTo("answer to hello");
    }

    @Test
    void workerThatCrashesAtEveryRequestIsRestartedFiveTimes() {
        String id = spawnReady();
        backend = (slot, prompt) -> crash(slot);

        int requests = 0;
        while (registry.get(id).isPresent()) {
            assertThatThrownBy(() -> dispatcher.dispatch("tiny", "poison"))
                    .isInstanceOfAny(SlotTimeoutException.class, NoWorkerException.class);
            requests++;
            time.advance(Duration.ofSeconds(60)); // longer than any restart delay
        }

        assertThat(requests).isEqualTo(6);
        assertThat(processes.starts()).as("the first and five restarts").isEqualTo(6);
        assertThat(events.historyOf(id)).filteredOn("Restarted"::equals).hasSize(5);
        assertThat(events.historyOf(id)).endsWith("Crashed", "Removed");
        assertThat(supervisor.recentExits())
                .extracting(Exit::cause)
                .endsWith(Exit.Cause.CRASH_LOOP)
                .hasSize(6);
        assertThat(processes.running()).isEmpty();
        assertThatThrownBy(() -> dispatcher.dispatch("tiny", "hello")).isInstanceOf(NoWorkerException.class);
    }

    private String spawnReady() {
        String id = supervisor.spawn(SPEC).id();
        supervisor.reportReady(id);
        return id;
    }

    /** The dispatcher waits for the supervisor, which runs in virtual time on this thread. */
    private String dispatchWhileTheSupervisorRuns(String prompt) throws Exception {
        FutureTask<String> dispatch = new FutureTask<>(() -> dispatcher.dispatch("tiny", prompt));
        Thread caller = new Thread(dispatch);
        caller.start();
        while (!dispatch.isDone()) {
            time.runDueTasks();
            Thread.onSpinWait();
        }
        caller.join();
        try {
            return dispatch.get();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private String crashUnnoticed(SlotLease slot) throws IOException {
        processes.exitUnnoticed(slot.workerId(), 139);
        throw new IOException("connection reset");
    }

    /** The failure that a client receives from a worker that crashes during a request. */
    private String crash(SlotLease slot) throws IOException {
        processes.exit(slot.workerId(), 139);
        throw new IOException("connection reset");
    }
}
