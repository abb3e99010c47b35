package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Checks of exit detection: {@code exitStatus} and {@code onExit}. */
final class ProcessExitChecks {

    private static final int CODE = 3;
    private static final ExitStatus EXITED = ExitStatus.unrequested(CODE);
    private static final int MANY = 8;

    private ProcessExitChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>(
                        "an exit without a signal is unrequested and has the exit code",
                        ProcessExitChecks::unrequested),
                new SceneCheck<>(
                        "an exit without a signal is unrequested even with code 0", ProcessExitChecks::codeZero),
                new SceneCheck<>("the exit status does not change", ProcessExitChecks::unchanging),
                new SceneCheck<>("onExit completes without a call of exitStatus", ProcessExitChecks::withoutPolling),
                new SceneCheck<>("onExit runs each callback once", ProcessExitChecks::once),
                new SceneCheck<>("onExit is already complete after the exit", ProcessExitChecks::afterExit),
                new SceneCheck<>("a callback of onExit may call the process", ProcessExitChecks::callsBack),
                new SceneCheck<>(
                        "a callback of onExit that throws does not affect the others", ProcessExitChecks::throwing),
                new SceneCheck<>("callers cannot complete onExit", ProcessExitChecks::completedByCaller),
                new SceneCheck<>("callers cannot cancel onExit for others", ProcessExitChecks::cancelledByCaller),
                new SceneCheck<>(
                        "concurrent calls of exitStatus return the same status", ProcessExitChecks::concurrentCalls));
    }

    private static void unrequested(ProcessScene scene) {
        Expect.equal("the exit status", EXITED, scene.awaitExit(scene.exitingWith("w", CODE)));
    }

    private static void codeZero(ProcessScene scene) {
        Expect.equal("the exit status", ExitStatus.unrequested(0), scene.awaitExit(scene.exitingWith("w", 0)));
    }

    private static void unchanging(ProcessScene scene) {
        PromptProcess process = scene.exitingWith("w", CODE);
        ExitStatus first = scene.awaitExit(process);

        Expect.equal("the exit status, read again", Optional.of(first), process.exitStatus());
        process.kill();
        Expect.equal("the exit status after a kill that follows the exit", Optional.of(first), process.exitStatus());
        process.release();
        Expect.equal("the exit status after release", Optional.of(first), process.exitStatus());
    }

    private static void withoutPolling(ProcessScene scene) {
        PromptProcess process = scene.exitingWith("w", CODE);

        Expect.equal("the status that onExit reports", EXITED, scene.awaitNotice(process.notice()));
    }

    private static void once(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        List<ExitStatus> notices = new CopyOnWriteArrayList<>();
        process.onExit().thenAccept(notices::add);

        process.kill();
        ExitStatus status = scene.awaitExit(process);
        scene.eventually("the callback to run", () -> !notices.isEmpty());
        scene.notSoon("a second run of the callback", () -> notices.size() > 1);

        Expect.equal("the statuses that the callback received", List.of(status), notices);
    }

    private static void afterExit(ProcessScene scene) {
        PromptProcess process = scene.exitingWith("w", CODE);
        scene.awaitNotice(process.notice());

        CompletableFuture<ExitStatus> late = process.notice();

        Expect.that(late.isDone(), "onExit to be complete when called after the exit");
        Expect.equal("the status that onExit reports", EXITED, scene.awaitNotice(late));
    }

    private static void callsBack(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        AtomicReference<@Nullable Optional<ExitStatus>> found = new AtomicReference<>();
        process.onExit().thenAccept(status -> {
            process.bare().terminate();
            process.bare().kill();
            process.bare().outputTail(1);
            found.set(process.bare().exitStatus());
        });

        process.kill();
        ExitStatus status = scene.awaitExit(process);
        scene.eventually("the callback to return", () -> found.get() != null);

        Expect.equal("the exit status that the callback reads", Optional.of(status), found.get());
    }

    private static void throwing(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        process.onExit().thenAccept(status -> {
            throw new IllegalStateException("thrown by the check");
        });
        CompletableFuture<ExitStatus> other = process.notice();

        process.kill();
        ExitStatus status = scene.awaitExit(process);

        Expect.equal("the status that another callback receives", status, scene.awaitNotice(other));
    }

    private static void completedByCaller(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");

        tryIfSupported(() -> process.onExit().toCompletableFuture().complete(ExitStatus.unrequested(99)));

        Expect.equal("the exit status of a running process", Optional.empty(), process.exitStatus());
        Expect.that(!process.notice().isDone(), "onExit of a running process not to be complete");
        process.kill();
        ExitStatus status = scene.awaitExit(process);
        Expect.equal("the status that onExit reports", status, scene.awaitNotice(process.notice()));
    }

    private static void cancelledByCaller(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        CompletableFuture<ExitStatus> other = process.notice();

        tryIfSupported(() -> process.onExit().toCompletableFuture().cancel(true));
        process.kill();
        ExitStatus status = scene.awaitExit(process);

        Expect.equal("the status that the other callback receives", status, scene.awaitNotice(other));
    }

    private static void concurrentCalls(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        process.kill();

        Set<ExitStatus> seen = new LinkedHashSet<>();
        scene.eventually("an exit status for each caller", () -> {
            List<Optional<ExitStatus>> answers =
                    scene.calls().concurrently(MANY, "exitStatus()", process.bare()::exitStatus);
            answers.forEach(answer -> answer.ifPresent(seen::add));
            return answers.stream().allMatch(Optional::isPresent);
        });

        Expect.equal("the exit statuses that are returned", Set.of(scene.awaitExit(process)), seen);
    }

    /** A stage may not support {@code toCompletableFuture}; then it cannot be completed by callers. */
    private static void tryIfSupported(Runnable attempt) {
        try {
            attempt.run();
        } catch (UnsupportedOperationException unsupported) {
            // allowed
        }
    }
}
