package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The contract of fake processes that execute their command and have children: every check is applicable. A test
 * overrides methods to inject a fault.
 */
class FakeMachineContract extends FakeProcessContract {

    private final ProcessController machine = this::start;

    FakeMachineContract() {}

    FakeMachineContract(UnaryOperator<WorkerProcess> fault) {
        super(fault);
    }

    @Override
    protected ProcessController controller() {
        return machine;
    }

    WorkerProcess start(ProcessSpec spec) {
        WorkerProcess process = super.controller().start(spec);
        List<String> arguments = spec.command().subList(1, spec.command().size());
        switch (spec.command().get(0)) {
            case "variable" -> printAndExit(spec, List.of(environmentOf(spec).getOrDefault(arguments.get(0), "")));
            case "directory" -> printAndExit(spec, List.of(directoryOf(spec)));
            case "arguments" -> printAndExit(spec, argumentsOf(arguments));
            default -> {}
        }
        return process;
    }

    private void printAndExit(ProcessSpec spec, List<String> lines) {
        lines.forEach(line -> fake().print(spec.workerId(), line));
        fake().exit(spec.workerId(), 0);
    }

    Map<String, String> environmentOf(ProcessSpec spec) {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.keySet().removeIf(name -> !spec.inherited().includes(name));
        environment.putAll(spec.environment());
        return environment;
    }

    String directoryOf(ProcessSpec spec) {
        try {
            return spec.directory().orElse(Path.of("")).toRealPath().toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<String> argumentsOf(List<String> arguments) {
        return arguments;
    }

    @Override
    protected Optional<List<String>> printingVariable(String variable) {
        return Optional.of(List.of("variable", variable));
    }

    @Override
    protected Optional<List<String>> printingDirectory() {
        return Optional.of(List.of("directory"));
    }

    @Override
    protected Optional<List<String>> printingArguments(String... arguments) {
        return Optional.of(
                Stream.concat(Stream.of("arguments"), Arrays.stream(arguments)).toList());
    }

    @Override
    protected Optional<Family> parent(String workerId) {
        WorkerProcess child = controller().start(longRunning(childOf(workerId)));
        WorkerProcess parent = parentOf(controller().start(longRunning(workerId)), child);
        return Optional.of(new Family(parent, () -> child.exitStatus().isEmpty()));
    }

    @Override
    protected Optional<Family> orphaningChild(String workerId, int code) {
        Optional<Family> family = parent(workerId);
        fake().exit(workerId, code);
        return family;
    }

    @Override
    protected Optional<Family> parentOfIgnoringChild(String workerId) {
        Optional<Family> family = parent(workerId);
        fake().ignoreTerminate(childOf(workerId));
        return family;
    }

    @Override
    protected Optional<Family> forking(String workerId) {
        WorkerProcess process = controller().start(longRunning(workerId));
        fake().ignoreTerminate(workerId);
        List<WorkerProcess> children = new CopyOnWriteArrayList<>();
        WorkerProcess forking = new ForwardingProcess(process) {
            @Override
            public void terminate() {
                children.add(controller().start(longRunning(childOf(workerId))));
            }

            @Override
            public void kill() {
                super.kill();
                killChildren(children);
            }
        };
        return Optional.of(new Family(
                forking,
                () -> children.stream().anyMatch(child -> child.exitStatus().isEmpty())));
    }

    void killChildren(List<WorkerProcess> children) {
        children.forEach(WorkerProcess::kill);
    }

    private static String childOf(String workerId) {
        return "child of " + workerId;
    }

    WorkerProcess parentOf(WorkerProcess parent, WorkerProcess child) {
        return new Parent(parent, child);
    }

    /** Exits only after its child. */
    static class Parent extends ForwardingProcess {
        private final WorkerProcess child;

        Parent(WorkerProcess parent, WorkerProcess child) {
            super(parent);
            this.child = child;
        }

        @Override
        public Optional<ExitStatus> exitStatus() {
            Optional<ExitStatus> status = super.exitStatus();
            if (status.filter(exit -> !exit.requested()).isPresent()) {
                child.kill();
            }
            return child.exitStatus().flatMap(childStatus -> status);
        }

        @Override
        public Optional<ProcessUsage> usage() {
            return super.usage().flatMap(own -> child.usage().map(other -> sum(own, other)));
        }

        private static ProcessUsage sum(ProcessUsage one, ProcessUsage other) {
            return new ProcessUsage(
                    one.residentBytes() + other.residentBytes(),
                    one.cpuTime().plus(other.cpuTime()),
                    one.threads() + other.threads(),
                    one.processes() + other.processes());
        }

        @Override
        public CompletionStage<ExitStatus> onExit() {
            return super.onExit().thenCombine(child.onExit(), (status, childStatus) -> status);
        }

        @Override
        public void terminate() {
            super.terminate();
            child.terminate();
        }

        @Override
        public void kill() {
            super.kill();
            child.kill();
        }
    }
}
