package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** Checks of {@code terminate} and {@code kill}. */
final class ProcessSignalChecks {

    private static final int MANY = 8;

    private ProcessSignalChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>(
                        "terminate ends the process, and the exit is requested", ProcessSignalChecks::terminate),
                new SceneCheck<>("kill ends the process, and the exit is requested", ProcessSignalChecks::kill),
                new SceneCheck<>(
                        "a process that ignores terminate runs until kill", ProcessSignalChecks::ignoringTerminate),
                new SceneCheck<>(
                        "a process can be killed immediately after its start", ProcessSignalChecks::killImmediately),
                new SceneCheck<>("signals after the exit have no effect", ProcessSignalChecks::afterTheExit),
                new SceneCheck<>("concurrent signals cause only one exit", ProcessSignalChecks::concurrentCalls),
                new SceneCheck<>("killing a process does not affect the others", ProcessSignalChecks::others));
    }

    private static void terminate(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");

        process.terminate();

        expectRequested(scene.awaitExit(process));
    }

    private static void kill(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");

        process.kill();
        process.kill();

        Expect.equal("the exit status", killed(scene), scene.awaitExit(process));
    }

    private static void ignoringTerminate(ProcessScene scene) {
        PromptProcess process = scene.ignoringTerminate("w");

        process.terminate();
        process.terminate();
        scene.notSoon(
                "the exit of a process that ignores terminate",
                () -> process.exitStatus().isPresent());
        process.kill();

        Expect.equal("the exit status", killed(scene), scene.awaitExit(process));
    }

    private static void killImmediately(ProcessScene scene) {
        List<PromptProcess> processes = scene.startConcurrently(MANY);
        processes.forEach(PromptProcess::kill);

        processes.forEach(process -> expectRequested(scene.awaitExit(process)));
    }

    private static void afterTheExit(ProcessScene scene) {
        PromptProcess process = scene.exitingWith("w", 3);
        ExitStatus status = scene.awaitExit(process);

        process.terminate();
        process.kill();

        Expect.equal("the exit status", ExitStatus.unrequested(3), status);
        Expect.equal("the exit status after signals that follow the exit", Optional.of(status), process.exitStatus());
    }

    private static void concurrentCalls(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        List<ExitStatus> notices = new CopyOnWriteArrayList<>();
        process.onExit().thenAccept(notices::add);

        scene.calls().concurrently(MANY, "terminate() and kill()", () -> {
            process.bare().terminate();
            process.bare().kill();
            return process.bare().exitStatus();
        });
        ExitStatus status = scene.awaitExit(process);

        expectRequested(status);
        scene.eventually("the callback to run", () -> !notices.isEmpty());
        Expect.equal("the statuses that the callback received", List.of(status), notices);
    }

    private static void others(ProcessScene scene) {
        PromptProcess exited = scene.longRunning("w1");
        PromptProcess other = scene.longRunning("w2");

        exited.kill();
        scene.awaitExit(exited);

        scene.notSoon("the exit of the other process", () -> other.exitStatus().isPresent());
    }

    private static ExitStatus killed(ProcessScene scene) {
        return ExitStatus.requested(scene.killedCode());
    }

    private static void expectRequested(ExitStatus status) {
        Expect.that(status.requested(), "the exit to be requested, but it was: " + status);
    }
}
