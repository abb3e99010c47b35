package io.github.workerregistry.testing;

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

/** What {@code start} promises, and what comes of a {@link ProcessSpec}. */
final class ProcessStartChecks {

    private static final int MANY = 8;

    private ProcessStartChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>("a process runs when start returns", ProcessStartChecks::runs),
                new SceneCheck<>("a process keeps its identity, also after its end", ProcessStartChecks::identity),
                new SceneCheck<>("two processes have different identities", ProcessStartChecks::identities),
                new SceneCheck<>("many can be started at the same time", ProcessStartChecks::many),
                new SceneCheck<>("what cannot be started is named in the exception", ProcessStartChecks::unstartable),
                new SceneCheck<>("a failed start does not stand in the way of the next", ProcessStartChecks::next),
                new SceneCheck<>("a failed start leaves nothing behind", ProcessStartChecks::failedLeavesNothing),
                new SceneCheck<>("whoever runs now is no orphan", ProcessStartChecks::noOrphan),
                new SceneCheck<>("a variable of the spec reaches the process", ProcessStartChecks::variable),
                new SceneCheck<>("a variable of the spec replaces that of this JVM", ProcessStartChecks::replaced),
                new SceneCheck<>("the variables of this JVM reach the process", ProcessStartChecks::inherited),
                new SceneCheck<>(
                        "an excepted variable of this JVM does not reach the process", ProcessStartChecks::excepted),
                new SceneCheck<>("if only some variables are inherited, others are not", ProcessStartChecks::only),
                new SceneCheck<>("the process runs in the directory of the spec", ProcessStartChecks::directory),
                new SceneCheck<>("without a directory it runs in that of this JVM", ProcessStartChecks::ownDirectory),
                new SceneCheck<>(
                        "arguments are passed on as they are, through no shell", ProcessStartChecks::arguments));
    }

    private static void runs(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");

        Expect.equal("the exit status of a running process", Optional.empty(), process.exitStatus());
        Expect.that(!process.notice().isDone(), "no notice of the exit of a running process");
        Expect.that(process.identity().pid() > 0, "a pid");
    }

    private static void identity(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        ProcessIdentity whileRunning = process.identity();

        process.kill();
        scene.ended(process);

        Expect.equal("the identity after the end", whileRunning, process.identity());
    }

    private static void identities(ProcessScene scene) {
        ProcessIdentity one = scene.lasting("w1").identity();
        ProcessIdentity other = scene.lasting("w2").identity();

        Expect.that(!one.equals(other), "two identities, but both processes are " + one);
    }

    private static void many(ProcessScene scene) {
        List<ProcessIdentity> identities =
                scene.startAtOnce(MANY).stream().map(PromptProcess::identity).toList();

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
                "the exit status of the next process, which runs",
                Optional.empty(),
                scene.lasting("w").exitStatus());
    }

    private static void failedLeavesNothing(ProcessScene scene) {
        Set<String> before = scene.leftovers();

        scene.failureOfStart(scene.unstartable("w"));

        Expect.equal("what is there after a failed start", before, scene.leftovers());
    }

    private static void noOrphan(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        ProcessIdentity identity = process.identity();

        OrphanReport report = scene.reapOrphans();

        Expect.that(
                report.ended().stream().noneMatch(orphan -> orphan.process().equals(identity)),
                "nobody who runs to be called an orphan, but the report says " + report);
        scene.notSoon(
                "the end of a process of this controller when orphans are reaped",
                () -> process.exitStatus().isPresent());
    }

    private static void variable(ProcessScene scene) {
        List<String> output =
                scene.outputOf(scene.printingVariable("GREETING"), Map.of("GREETING", "good day"), Optional.empty());

        Expect.equal("the variable that the process sees", List.of("good day"), output);
    }

    private static void replaced(ProcessScene scene) {
        String name = variableOfThisJvm();

        List<String> output = scene.outputOf(scene.printingVariable(name), Map.of(name, "replaced"), Optional.empty());

        Expect.equal("the variable " + name + " that the process sees", List.of("replaced"), output);
    }

    private static void inherited(ProcessScene scene) {
        String name = variableOfThisJvm();

        List<String> output = scene.outputOf(scene.printingVariable(name), Map.of(), Optional.empty());

        Expect.equal("the variable " + name + " that the process sees", List.of(System.getenv(name)), output);
    }

    private static void excepted(ProcessScene scene) {
        String name = variableOfThisJvm();

        Expect.that(
                !outputWith(new InheritedEnvironment(Optional.empty(), Set.of(name)), name, scene)
                        .contains(System.getenv(name)),
                "the variable " + name + " to be kept from the process, but it sees it");
    }

    private static void only(ProcessScene scene) {
        String name = variableOfThisJvm();
        Set<String> others = new HashSet<>(System.getenv().keySet());
        others.remove(name);

        Expect.that(
                !outputWith(new InheritedEnvironment(Optional.of(others), Set.of()), name, scene)
                        .contains(System.getenv(name)),
                "the variable " + name + " not to be inherited with the others, but the process sees it");
        Expect.equal(
                "the variable " + name + " that the process sees, which is the only one that it inherits with PATH",
                List.of(System.getenv(name)),
                outputWith(new InheritedEnvironment(Optional.of(Set.of(name, "PATH")), Set.of()), name, scene));
    }

    private static List<String> outputWith(InheritedEnvironment inherited, String variable, ProcessScene scene) {
        return scene.outputOf(
                new ProcessSpec("w", scene.printingVariable(variable), Map.of(), Optional.empty(), inherited));
    }

    /** One whose value comes back as it is, and that no program needs. */
    private static String variableOfThisJvm() {
        return System.getenv().entrySet().stream()
                .filter(variable -> variable.getKey().matches("[A-Z]+"))
                .filter(variable -> !Set.of("PATH", "PWD").contains(variable.getKey()))
                .filter(variable -> variable.getValue().matches("[ -~]{1,200}"))
                .map(Map.Entry::getKey)
                .sorted()
                .findFirst()
                .orElseThrow(() -> new NotApplicableException("this JVM has no plain variable in its environment"));
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

        Expect.equal("the arguments that the process sees", List.of(arguments), output);
    }
}
