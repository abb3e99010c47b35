package io.github.workerregistry.testing;

import io.github.workerregistry.ExitStatus;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** What {@code terminate} and {@code kill} promise. */
final class ProcessSignalChecks {

    private static final int MANY = 8;

    private ProcessSignalChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>("terminate ends a process, and the exit is requested", ProcessSignalChecks::terminate),
                new SceneCheck<>("kill ends a process, and the exit is requested", ProcessSignalChecks::kill),
                new SceneCheck<>(
                        "a process that ignores terminate outlives it and dies of kill", ProcessSignalChecks::stubborn),
                new SceneCheck<>("a process may be killed as soon as it is there", ProcessSignalChecks::killAtOnce),
                new SceneCheck<>("signals after the end change nothing", ProcessSignalChecks::afterTheEnd),
                new SceneCheck<>("signals of many threads end a process once", ProcessSignalChecks::many),
                new SceneCheck<>("to end one process leaves the others alone", ProcessSignalChecks::others));
    }

    private static void terminate(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");

        process.terminate();

        expectRequested(scene.ended(process));
    }

    private static void kill(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");

        process.kill();
        process.kill();

        Expect.equal("the exit status", killed(scene), scene.ended(process));
    }

    private static void stubborn(ProcessScene scene) {
        PromptProcess process = scene.stubborn("w");

        process.terminate();
        process.terminate();
        scene.notSoon(
                "the end of a process that ignores terminate",
                () -> process.exitStatus().isPresent());
        process.kill();

        Expect.equal("the exit status", killed(scene), scene.ended(process));
    }

    private static void killAtOnce(ProcessScene scene) {
        List<PromptProcess> processes = scene.startAtOnce(MANY);
        processes.forEach(PromptProcess::kill);

        processes.forEach(process -> expectRequested(scene.ended(process)));
    }

    private static void afterTheEnd(ProcessScene scene) {
        PromptProcess process = scene.endingWith("w", 3);
        ExitStatus status = scene.ended(process);

        process.terminate();
        process.kill();

        Expect.equal("the exit status", ExitStatus.unrequested(3), status);
        Expect.equal("the exit status after signals that came late", Optional.of(status), process.exitStatus());
    }

    private static void many(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        List<ExitStatus> notices = new CopyOnWriteArrayList<>();
        process.onExit().thenAccept(notices::add);

        scene.calls().atOnce(MANY, "terminate() and kill()", () -> {
            process.bare().terminate();
            process.bare().kill();
            return process.bare().exitStatus();
        });
        ExitStatus status = scene.ended(process);

        expectRequested(status);
        scene.eventually("the receiver to be told", () -> !notices.isEmpty());
        Expect.equal("what the receiver was told", List.of(status), notices);
    }

    private static void others(ProcessScene scene) {
        PromptProcess ended = scene.lasting("w1");
        PromptProcess other = scene.lasting("w2");

        ended.kill();
        scene.ended(ended);

        scene.notSoon("the end of the other process", () -> other.exitStatus().isPresent());
    }

    private static ExitStatus killed(ProcessScene scene) {
        return ExitStatus.requested(scene.killedCode());
    }

    private static void expectRequested(ExitStatus status) {
        Expect.that(status.requested(), "the exit to be requested, but it was: " + status);
    }
}
