package io.github.workerregistry.testing.contract;

import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Checks of {@code start} and of the effects of a {@link ProcessSpec}. */
final class ProcessStartChecks {

    private static final int MANY = 8;

    private ProcessStartChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>("a process is running when start returns", ProcessStartChecks::running),
                new SceneCheck<>(
                        "the identity of a process does not change, even after its exit", ProcessStartChecks::identity),
                new SceneCheck<>("two processes have different identities", ProcessStartChecks::identities),
                new SceneCheck<>("many processes can be started concurrently", ProcessStartChecks::concurrentCalls),
                new SceneCheck<>(
                        "a failed start throws a SpawnException that names the command",
                        ProcessStartChecks::unstartable),
                new SceneCheck<>("a failed start does not affect the next start", ProcessStartChecks::next),
                new SceneCheck<>("a failed start leaves no resources behind", ProcessStartChecks::failedLeavesNothing),
                new SceneCheck<>(
                        "a running process of this controller is not reaped as an orphan",
                        ProcessStartChecks::noOrphan),
                new SceneCheck<>(
                        "an environment variable of the spec is passed to the process", ProcessStartChecks::variable),
                new SceneCheck<>(
                        "an environment variable of the spec overrides the inherited one",
                        ProcessStartChecks::overridden),
                new SceneCheck<>("environment variables of this JVM are inherited", ProcessStartChecks::inherited),
                new SceneCheck<>("an excluded environment variable is not inherited", ProcessStartChecks::excluded),
                new SceneCheck<>(
                        "if some environment variables are listed, only those are inherited",
                        ProcessStartChecks::listed),
                new SceneCheck<>("the working directory is that of the spec", ProcessStartChecks::directory),
                new SceneCheck<>(
                        "without a directory in the spec, the working directory is that of this JVM",
                        ProcessStartChecks::ownDirectory),
                new SceneCheck<>("arguments are passed unchanged, without a shell", ProcessStartChecks::arguments));
    }

    private static void running(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");

        Expect.equal("the exit status of a running process", Optional.empty(), process.exitStatus());
        Expect.that(!process.notice().isDone(), "onExit of a running process not to be complete");
        Expect.that(process.identity().pid() > 0, "a pid");
    }

    private static void identity(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        ProcessIdentity whileRunning = process.identity();

        process.kill();
        scene.awaitExit(process);

        Expect.equal("the identity after the exit", whileRunning, process.identity());
    }

    private static void identities(ProcessScene scene) {
        ProcessIdentity one = scene.longRunning("w1").identity();
        ProcessIdentity other = scene.longRunning("w2").identity();

        Expect.that(!one.equals(other), "two identities, but both processes have " + one);
    }

    private static void concurrentCalls(ProcessScene scene) {
        List<ProcessIdentity> identities = scene.startConcurrently(MANY).stream()
                .map(PromptProcess::identity)
                .toList();

        Expect.that(Set.copyOf(identities).size() == MANY, MANY + " different identities, but they were " + identities);
    }

    private static void unstartable(ProcessScene scene) {
        ProcessSpec spec = scene.unstartable("w");

        Throwable failure = scene.failureOfStart(spec);

        Expect.that(failure instanceof SpawnException, "a SpawnException, but it was " + failure);
        Expect.equal("the command of the exception", spec.command(), ((SpawnException) failure).command());
        Expect.that(
                String.valueOf(failure.getMessage()).contains(spec.command().get(0)),
                "a message that names " + spec.command().get(0) + ", but it was: " + failure.getMessage());
    }

    private static void next(ProcessScene scene) {
        scene.failureOfStart(scene.unstartable("w"));

        Expect.equal(
                "the exit status of the next process, which is running",
                Optional.empty(),
                scene.longRunning("w").exitStatus());
    }

    private static void failedLeavesNothing(ProcessScene scene) {
        Set<String> before = scene.leftovers();

        scene.failureOfStart(scene.unstartable("w"));

        Expect.equal("the resources that remain after a failed start", before, scene.leftovers());
    }

    private static void noOrphan(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");
        ProcessIdentity identity = process.identity();

        OrphanReport report = scene.reapOrphans();

        Expect.that(
                report.ended().stream().noneMatch(orphan -> orphan.process().equals(identity)),
                "no running process in the report of orphans, but it was " + report);
        scene.notSoon(
                "the exit of a process of this controller while orphans are reaped",
                () -> process.exitStatus().isPresent());
    }

    private static void variable(ProcessScene scene) {
        List<String> output =
                scene.outputOf(scene.printingVariable("GREETING"), Map.of("GREETING", "good day"), Optional.empty());

        Expect.equal("the value of the variable in the process", List.of("good day"), output);
    }

    private static void overridden(ProcessScene scene) {
        String name = variableOfThisJvm();

        List<String> output = scene.outputOf(scene.printingVariable(name), Map.of(name, "replaced"), Optional.empty());

        Expect.equal("the variable " + name + " in the process", List.of("replaced"), output);
    }

    private static void inherited(ProcessScene scene) {
        String name = variableOfThisJvm();

        List<String> output = scene.outputOf(scene.printingVariable(name), Map.of(), Optional.empty());

        Expect.equal("the variable " + name + " in the process", List.of(System.getenv(name)), output);
    }

    private static void excluded(ProcessScene scene) {
        String name = variableOfThisJvm();

        Expect.that(
                !outputWith(new InheritedEnvironment(Optional.empty(), Set.of(name)), name, scene)
                        .contains(System.getenv(name)),
                "the variable " + name + " not to be inherited, but it is");
    }

    private static void listed(ProcessScene scene) {
        String name = variableOfThisJvm();
        Set<String> others = new HashSet<>(System.getenv().keySet());
        others.remove(name);

        Expect.that(
                !outputWith(new InheritedEnvironment(Optional.of(others), Set.of()), name, scene)
                        .contains(System.getenv(name)),
                "the variable " + name + " not to be inherited without being listed, but it is");
        Expect.equal(
                "the variable " + name + " in the process, which inherits only it and PATH",
                List.of(System.getenv(name)),
                outputWith(new InheritedEnvironment(Optional.of(Set.of(name, "PATH")), Set.of()), name, scene));
    }

    private static List<String> outputWith(InheritedEnvironment inherited, String variable, ProcessScene scene) {
        return scene.outputOf(
                new ProcessSpec("w", scene.printingVariable(variable), Map.of(), Optional.empty(), inherited));
    }

    /** A variable whose value is printed unchanged, and that no program needs. */
    private static String variableOfThisJvm() {
        return System.getenv().entrySet().stream()
                .filter(variable -> variable.getKey().matches("[A-Z]+"))
                .filter(variable -> !Set.of("PATH", "PWD").contains(variable.getKey()))
                .filter(variable -> variable.getValue().matches("[ -~]{1,200}"))
                .map(Map.Entry::getKey)
                .sorted()
                .findFirst()
                .orElseThrow(() -> new NotApplicableException("this JVM has no suitable environment variable"));
    }

    private static void directory(ProcessScene scene) throws IOException {
        List<String> command = scene.printingDirectory();
        Path directory = Files.createTempDirectory("contract").toRealPath();
        try {
            List<String> output = scene.outputOf(command, Map.of(), Optional.of(directory));

            Expect.equal("the working directory", List.of(directory.toString()), output);
        } finally {
            Files.delete(directory);
        }
    }

    private static void ownDirectory(ProcessScene scene) throws IOException {
        List<String> output = scene.outputOf(scene.printingDirectory(), Map.of(), Optional.empty());

        Expect.equal("the working directory", List.of(Path.of("").toRealPath().toString()), output);
    }

    private static void arguments(ProcessScene scene) {
        String[] arguments = {"$HOME", "a  b", "*", "'one' \"two\"", "; echo no", "back\\slash"};

        List<String> output = scene.outputOf(scene.printingArguments(arguments), Map.of(), Optional.empty());

        Expect.equal("the arguments of the process", List.of(arguments), output);
    }
}
