package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.testing.contract.ProcessScene.PromptFamily;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Checks of the descendants of a process. */
final class ProcessTreeChecks {

    private ProcessTreeChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>(
                        "terminate also terminates the child", scene -> endBoth(scene, PromptProcess::terminate)),
                new SceneCheck<>("kill also kills the child", scene -> endBoth(scene, PromptProcess::kill)),
                new SceneCheck<>(
                        "a child that is left running is killed before the exit is reported",
                        ProcessTreeChecks::leftRunning),
                new SceneCheck<>(
                        "a child that ignores terminate delays the exit until kill", ProcessTreeChecks::delayed),
                new SceneCheck<>(
                        "kill also kills a child that was started after terminate",
                        ProcessTreeChecks::startedAfterTerminate),
                new SceneCheck<>("usage includes the child", ProcessTreeChecks::usage),
                new SceneCheck<>("usage is empty after the exit", ProcessTreeChecks::usageAfterTheExit));
    }

    private static void endBoth(ProcessScene scene, Consumer<PromptProcess> signal) {
        PromptFamily family = scene.parent("w");
        Expect.that(family.childRuns().getAsBoolean(), "the child to be running");

        signal.accept(family.process());
        ExitStatus status = awaitExitAfterChild(scene, family);

        Expect.that(status.requested(), "the exit to be requested, but it was: " + status);
    }

    private static void leftRunning(ProcessScene scene) {
        PromptFamily family = scene.orphaningChild("w", 3);

        ExitStatus status = awaitExitAfterChild(scene, family);

        Expect.equal("the exit status", ExitStatus.unrequested(3), status);
    }

    private static void delayed(ProcessScene scene) {
        PromptFamily family = scene.parentOfIgnoringChild("w");
        PromptProcess process = family.process();

        process.terminate();
        scene.notSoon(
                "the exit while the child is running",
                () -> process.exitStatus().isPresent());
        Expect.that(family.childRuns().getAsBoolean(), "a child that ignores terminate to keep running");
        process.kill();

        awaitExitAfterChild(scene, family);
    }

    private static void startedAfterTerminate(ProcessScene scene) {
        PromptFamily family = scene.forking("w");
        PromptProcess process = family.process();

        process.terminate();
        scene.eventually("the start of a child on terminate", family.childRuns());
        process.kill();

        awaitExitAfterChild(scene, family);
    }

    private static void usage(ProcessScene scene) {
        PromptFamily family = scene.parent("w");

        usageOf(family.process());
        scene.eventually(
                "a usage of 2 processes", () -> usageOf(family.process()).processes() >= 2);
        ProcessUsage usage = usageOf(family.process());

        Expect.that(usage.threads() >= usage.processes(), "at least one thread for each process, but it was " + usage);
        Expect.that(usage.residentBytes() > 0, "memory, but it was " + usage);
    }

    private static void usageAfterTheExit(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        ProcessUsage before = usageOf(process);

        process.kill();
        scene.awaitExit(process);

        Expect.equal("the usage, " + before + " before,", Optional.empty(), process.usage());
    }

    private static ProcessUsage usageOf(PromptProcess process) {
        return process.usage().orElseThrow(() -> new NotApplicableException("usage() returns empty"));
    }

    /** Waits for the status and then checks that the child has exited. */
    private static ExitStatus awaitExitAfterChild(ProcessScene scene, PromptFamily family) {
        PromptProcess process = family.process();
        scene.eventually("an exit status", () -> process.exitStatus().isPresent());
        Expect.that(!family.childRuns().getAsBoolean(), "the child to have exited before the exit is reported");
        return scene.awaitExit(process);
    }
}
