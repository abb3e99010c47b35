package io.github.workerregistry.testing;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.testing.ProcessScene.PromptFamily;
import java.util.List;
import java.util.function.Consumer;

/** What becomes of the processes that a process starts. */
final class ProcessTreeChecks {

    private ProcessTreeChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>("terminate asks the child too", scene -> endsBoth(scene, PromptProcess::terminate)),
                new SceneCheck<>("kill ends the child too", scene -> endsBoth(scene, PromptProcess::kill)),
                new SceneCheck<>(
                        "what a process leaves behind is ended before its exit is given",
                        ProcessTreeChecks::leftBehind),
                new SceneCheck<>(
                        "a child that ignores terminate holds the exit back until kill", ProcessTreeChecks::heldBack),
                new SceneCheck<>("kill ends also what was started since terminate", ProcessTreeChecks::startedSince));
    }

    private static void endsBoth(ProcessScene scene, Consumer<PromptProcess> signal) {
        PromptFamily family = scene.parent("w");
        Expect.that(family.childRuns().getAsBoolean(), "a child that runs");

        signal.accept(family.process());
        ExitStatus status = endedAfterItsChild(scene, family);

        Expect.that(status.requested(), "the exit to be requested, but it was: " + status);
    }

    private static void leftBehind(ProcessScene scene) {
        PromptFamily family = scene.leavingChild("w", 3);

        ExitStatus status = endedAfterItsChild(scene, family);

        Expect.equal("the exit status", ExitStatus.unrequested(3), status);
    }

    private static void heldBack(ProcessScene scene) {
        PromptFamily family = scene.parentOfStubborn("w");
        PromptProcess process = family.process();

        process.terminate();
        scene.notSoon(
                "the exit while the child runs", () -> process.exitStatus().isPresent());
        Expect.that(family.childRuns().getAsBoolean(), "a child that ignores terminate to run on");
        process.kill();

        endedAfterItsChild(scene, family);
    }

    private static void startedSince(ProcessScene scene) {
        PromptFamily family = scene.forking("w");
        PromptProcess process = family.process();

        process.terminate();
        scene.eventually("a child that is started in answer to terminate", family.childRuns());
        process.kill();

        endedAfterItsChild(scene, family);
    }

    /** Looks first for the status, then for the child: once the one is there, the other has gone. */
    private static ExitStatus endedAfterItsChild(ProcessScene scene, PromptFamily family) {
        PromptProcess process = family.process();
        scene.eventually("an exit status", () -> process.exitStatus().isPresent());
        Expect.that(!family.childRuns().getAsBoolean(), "the child to have gone when the exit is given");
        return scene.ended(process);
    }
}
