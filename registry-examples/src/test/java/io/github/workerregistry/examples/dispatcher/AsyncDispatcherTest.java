package io.github.workerregistry.examples.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotTimeoutException;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The asynchronous dispatcher in virtual time, on one thread: time, supervisor, timeouts and executor are the same. */
@ExpectWarnings("has ended: CRASHED")
class AsyncDispatcherTest {

    private static final WorkerSpec SPEC = WorkerSpec.builder()
            .modelRef("tiny")
            .command("serve", "--port", "1234")
            .url("http://worker")
            .build();

    private final VirtualTime time = new VirtualTime();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
            .processController(processes)
            .healthProbe(new ScriptedHealthProbe())
            .build();

    private final List<String> asked = new ArrayList<>();
    private AsyncBackend<String, String> backend =
            (slot, prompt) -> CompletableFuture.completedFuture("answer to " + prompt);
    private final AsyncDispatcher<String, String> dispatcher =
            new AsyncDispatcher<>(registry, this::send, time, Duration.ofMinutes(1), 3);

    private CompletionStage<String> send(SlotLease slot, String prompt) {
        asked.add(slot.workerId());
        return backend.send(slot, prompt);
    }

    private String spawnReady() {
        String id = supervisor.spawn(SPEC).id();
        supervisor.reportReady(id);
        return id;
    }

    private CompletableFuture<String> dispatch(String prompt, Duration within) {
        CompletableFuture<String> answer = dispatcher.dispatch("tiny", prompt).toCompletableFuture();
        time.advance(within);
        return answer;
    }

    private CompletableFuture<String> crashUnnoticed(SlotLease slot) {
        processes.exitUnnoticed(slot.workerId(), 139);
        return CompletableFuture.failedFuture(new IOException("connection reset"));
    }

    @Test
    void requestIsAnsweredAndItsSlotReleased() {
        spawnReady();

        assertThat(dispatch("hello", Duration.ZERO)).isCompletedWithValue("answer to hello");

        assertThat(registry.stats().slotsInUse()).isZero();
    }

    @Test
    void requestThatLosesItsWorkerIsAnsweredByAnother() {
        spawnReady();
        spawnReady();
        backend = (slot, prompt) ->
                asked.size() == 1 ? crashUnnoticed(slot) : CompletableFuture.completedFuture("answer to " + prompt);

        assertThat(dispatch("hello", Duration.ofSeconds(1))).isCompletedWithValue("answer to hello");

        assertThat(asked).hasSize(2).doesNotHaveDuplicates();
        assertThat(registry.stats().slotsInUse()).isZero();
    }

    @Test
    void withoutAnotherWorkerTheRequestWaitsForTheRestart() {
        String only = spawnReady();
        backend = (slot, prompt) ->
                asked.size() == 1 ? crashUnnoticed(slot) : CompletableFuture.completedFuture("answer to " + prompt);

        assertThat(dispatch("hello", Duration.ofSeconds(10))).isCompletedWithValue("answer to hello");

        assertThat(asked).containsExactly(only, only);
    }

    @Test
    void requestThatFailsOnALiveWorkerIsNotSentAgain() {
        spawnReady();
        backend = (slot, prompt) -> CompletableFuture.failedFuture(new IOException("status 400"));

        CompletableFuture<String> answer = dispatch("nonsense", Duration.ofSeconds(1));

        assertThat(catchThrowable(answer::join)).hasRootCauseMessage("status 400");
        assertThat(asked).hasSize(1);
    }

    @Test
    void slotsThatAreMissingFailTheRequest() {
        assertThat(catchThrowable(dispatch("hello", Duration.ZERO)::join)).hasCauseInstanceOf(NoWorkerException.class);

        String id = spawnReady();
        assertThat(registry.tryAcquireFrom(id)).isPresent();
        CompletableFuture<String> answer = dispatch("hello", Duration.ofSeconds(59));
        assertThat(answer).isNotDone();
        time.advance(Duration.ofSeconds(1));
        assertThat(catchThrowable(answer::join)).hasCauseInstanceOf(SlotTimeoutException.class);
    }
}
