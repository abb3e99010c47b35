package io.github.workerregistry.process;

import io.github.workerregistry.testing.contract.ProcessControllerContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/** The contract of a controller of real processes. */
class LocalProcessContract extends ProcessControllerContract {

    private final LocalProcessController controller;

    LocalProcessContract(LocalProcessController controller) {
        this.controller = controller;
    }

    @Override
    protected ProcessController controller() {
        return controller;
    }

    @Override
    protected ProcessSpec longRunning(String workerId) {
        return spec(workerId, "sleep", "600");
    }

    @Override
    protected ProcessSpec unstartable(String workerId) {
        return spec(workerId, "/no/such/program");
    }

    @Override
    protected WorkerProcess exitingWith(String workerId, int code) {
        return shell(workerId, "exit " + code);
    }

    @Override
    protected Optional<WorkerProcess> ignoringTerminate(String workerId) {
        WorkerProcess process = shell(workerId, "trap '' TERM; echo ready; exec sleep 600");
        firstLineOf(process);
        return Optional.of(process);
    }

    @Override
    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "printf '%s\\n' \"$@\"; exec sleep 600", "sh"));
        command.addAll(List.of(lines));
        return Optional.of(controller.start(spec(workerId, command.toArray(String[]::new))));
    }

    @Override
    protected Optional<Family> parent(String workerId) {
        return family(workerId, "sleep 600 & echo $!; wait");
    }

    @Override
    protected Optional<Family> orphaningChild(String workerId, int code) {
        return family(workerId, "sleep 600 & echo $!; exit " + code);
    }

    @Override
    protected Optional<Family> parentOfIgnoringChild(String workerId) {
        return family(workerId, "(trap '' TERM; exec sh -c 'echo $$; exec sleep 600') & trap 'exit 5' TERM; wait");
    }

    @Override
    protected Optional<Family> forking(String workerId) {
        WorkerProcess process = shell(
                workerId,
                "trap '(trap \"\" TERM; exec sh -c \"echo \\$\\$; exec sleep 600\") &' TERM;"
                        + " echo 0; while :; do sleep 0.02; done");
        firstLineOf(process);
        AtomicReference<ProcessIdentity> child = new AtomicReference<>();
        BooleanSupplier childRuns = () -> {
            if (child.get() == null) {
                long last = process.outputTail(10).stream()
                        .filter(line -> line.matches("\\d+")) // the shell may report that its sleep was terminated
                        .mapToLong(Long::parseLong)
                        .reduce(0, (first, second) -> second);
                ProcessIdentity.ofPid(last).ifPresent(child::set); // no process has the pid 0
            }
            return child.get() != null && child.get().isAlive();
        };
        return Optional.of(new Family(process, childRuns));
    }

    private Optional<Family> family(String workerId, String script) {
        WorkerProcess process = shell(workerId, script);
        long child = Long.parseLong(firstLineOf(process));
        Optional<ProcessIdentity> identity = ProcessIdentity.ofPid(child);
        BooleanSupplier childRuns =
                () -> identity.filter(ProcessIdentity::isAlive).isPresent();
        return Optional.of(new Family(process, childRuns));
    }

    @Override
    protected Optional<List<String>> printingVariable(String variable) {
        return Optional.of(List.of("printenv", variable));
    }

    @Override
    protected Optional<List<String>> printingDirectory() {
        return Optional.of(List.of("pwd", "-P"));
    }

    @Override
    protected Optional<List<String>> printingArguments(String... arguments) {
        List<String> command = new ArrayList<>(List.of("printf", "%s\\n"));
        command.addAll(List.of(arguments));
        return Optional.of(command);
    }

    @Override
    protected void afterCheck() {
        if (!awaitTrue(() -> ProcessHandle.current().children().noneMatch(ProcessHandle::isAlive), timeout())) {
            throw new AssertionError("the check left a running process behind");
        }
    }

    private WorkerProcess shell(String workerId, String script) {
        return controller.start(spec(workerId, "sh", "-c", script));
    }

    private String firstLineOf(WorkerProcess process) {
        if (!awaitTrue(() -> !process.outputTail(1).isEmpty(), timeout())) {
            throw new AssertionError("no line of output");
        }
        return process.outputTail(1).get(0);
    }
}
