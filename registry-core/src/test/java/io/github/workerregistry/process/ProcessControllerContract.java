package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What everybody may expect of a {@link ProcessController} and its processes. The fake and the real one both pass.
 *
 * <p>A subclass says how to get processes of certain kinds, and how to wait. It also ends what it started.
 */
@ExtendWith(UnexpectedWarnings.class)
abstract class ProcessControllerContract {

    /** The controller under test. */
    abstract ProcessController controller();

    /** A process that runs until it is told to end, by {@code terminate} or {@code kill}, and prints nothing. */
    abstract WorkerProcess running();

    /** A process that soon ends by itself. */
    abstract WorkerProcess endingWith(int code);

    /** A process that runs and takes no notice of {@code terminate}. */
    abstract WorkerProcess stubborn();

    /** A process that prints these lines of ASCII, soon, and runs on. */
    abstract WorkerProcess printing(String... lines);

    /** What {@link #controller()} is unable to start. */
    abstract ProcessSpec unstartable();

    /** Lets time pass until the condition holds; fails if it does not within reason. */
    abstract void eventually(BooleanSupplier condition);

    @Test
    void aRunningProcessHasNoExitStatus() {
        WorkerProcess process = running();

        assertThat(process.exitStatus()).isEmpty();
        assertThat(process.onExit().toCompletableFuture()).isNotDone();
    }

    @Test
    void aProcessKeepsItsIdentity() {
        WorkerProcess process = running();
        ProcessIdentity whileRunning = process.identity();

        process.kill();
        eventuallyEnded(process);

        assertThat(process.identity()).isEqualTo(whileRunning);
    }

    @Test
    void twoProcessesHaveDifferentIdentities() {
        assertThat(running().identity()).isNotEqualTo(running().identity());
    }

    @Test
    void anEndByItselfIsUnrequestedAndHasItsCode() {
        WorkerProcess process = endingWith(3);

        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(3));
    }

    @Test
    void anEndByItselfWithCodeZeroIsUnrequestedToo() {
        WorkerProcess process = endingWith(0);

        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(0));
    }

    @Test
    void terminateEndsAProcessAndTheExitIsRequested() {
        WorkerProcess process = running();

        process.terminate();
        eventuallyEnded(process);

        assertThat(statusOf(process).requested()).isTrue();
    }

    @Test
    void killEndsAProcessAndTheExitIsRequested() {
        WorkerProcess process = running();

        process.kill();
        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    @Test
    void aStubbornProcessOutlivesTerminateAndDiesOfKill() {
        WorkerProcess process = stubborn();

        process.terminate();
        process.terminate();
        assertThat(process.exitStatus()).isEmpty();

        process.kill();
        eventuallyEnded(process);
        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    @Test
    void signalsAfterTheEndChangeNothing() {
        WorkerProcess process = endingWith(3);
        eventuallyEnded(process);

        process.terminate();
        process.kill();

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(3));
    }

    @Test
    void theNoticeCarriesTheStatusOnceAlsoToWhoAsksLate() {
        WorkerProcess process = endingWith(3);
        List<ExitStatus> notices = new CopyOnWriteArrayList<>();
        var early = process.onExit().thenAccept(notices::add);

        eventuallyEnded(process);
        eventually(() -> early.toCompletableFuture().isDone());
        var late = process.onExit().thenAccept(notices::add);

        assertThat(late.toCompletableFuture()).isCompleted();
        assertThat(notices).containsExactly(ExitStatus.unrequested(3), ExitStatus.unrequested(3));
    }

    @Test
    void nobodyCanForgeTheNotice() {
        WorkerProcess process = running();

        process.onExit().toCompletableFuture().complete(ExitStatus.unrequested(99));
        assertThat(process.exitStatus()).isEmpty();
        process.kill();
        eventuallyEnded(process);

        assertThat(process.onExit().toCompletableFuture()).isCompletedWithValue(ExitStatus.requested(137));
    }

    @Test
    void aReceiverOfTheNoticeThatThrowsHarmsNobody() {
        WorkerProcess process = endingWith(3);
        var thrown = process.onExit().thenAccept(status -> {
            throw new IllegalStateException("thrown by the test");
        });

        eventuallyEnded(process);
        eventually(() -> thrown.toCompletableFuture().isCompletedExceptionally());

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(3));
        assertThat(process.onExit().toCompletableFuture()).isCompleted();
    }

    @Test
    void outputIsCountedAndItsEndIsGivenOldestLineFirst() {
        WorkerProcess process = printing("one", "two", "three");

        eventually(() -> process.outputBytes() == "one\ntwo\nthree\n".length());

        assertThat(process.outputTail(10)).containsExactly("one", "two", "three");
        assertThat(process.outputTail(2)).containsExactly("two", "three");
    }

    @Test
    void aProcessThatPrintsNothingHasNoOutput() {
        WorkerProcess process = running();

        assertThat(process.outputBytes()).isZero();
        assertThat(process.outputTail(10)).isEmpty();
    }

    @Test
    void theOutputCanBeReadAfterTheEnd() {
        WorkerProcess process = printing("last words");
        eventually(() -> process.outputBytes() > 0);

        process.kill();
        eventuallyEnded(process);

        assertThat(process.outputTail(1)).containsExactly("last words");
    }

    @Test
    void aTailOfNoLinesIsRefused() {
        WorkerProcess process = running();

        assertThatThrownBy(() -> process.outputTail(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> process.outputTail(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aReleasedProcessStillAnswers() {
        WorkerProcess process = printing("one");
        eventually(() -> process.outputBytes() > 0);
        long bytes = process.outputBytes();
        process.kill();
        eventuallyEnded(process);

        process.release();

        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(137));
        assertThat(process.outputBytes()).isGreaterThanOrEqualTo(bytes);
        assertThat(process.outputTail(10)).hasSizeLessThanOrEqualTo(1);
        process.kill();
        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    @Test
    void whatCannotBeStartedIsNamedInTheException() {
        ProcessSpec spec = unstartable();

        assertThatThrownBy(() -> controller().start(spec))
                .isInstanceOfSatisfying(
                        SpawnException.class, e -> assertThat(e.command()).isEqualTo(spec.command()))
                .hasMessageContaining(spec.command().get(0));
    }

    /** Asks as the supervisor does, and for the notice as well. */
    final void eventuallyEnded(WorkerProcess process) {
        eventually(() -> process.exitStatus().isPresent()
                && process.onExit().toCompletableFuture().isDone());
    }

    final ExitStatus statusOf(WorkerProcess process) {
        return process.exitStatus().orElseThrow();
    }
}
