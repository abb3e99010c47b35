package io.github.workerregistry.testing.contract;

import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** The contract of a controller of fake processes, optionally with an injected fault. */
class FakeProcessContract extends ProcessControllerContract {

    private static final ProcessUsage USAGE = new ProcessUsage(1024, Duration.ofMillis(10), 1, 1);

    private final FakeProcessController fake = new FakeProcessController();
    private final ProcessController controller;

    FakeProcessContract() {
        this(UnaryOperator.identity());
    }

    /** Of fake processes with an injected fault. */
    FakeProcessContract(UnaryOperator<WorkerProcess> fault) {
        controller = spec -> {
            WorkerProcess process = fake.start(spec);
            fake.use(spec.workerId(), USAGE);
            return fault.apply(process);
        };
    }

    FakeProcessController fake() {
        return fake;
    }

    @Override
    protected ProcessController controller() {
        return controller;
    }

    @Override
    protected ProcessSpec longRunning(String workerId) {
        return spec(workerId, "serve");
    }

    @Override
    protected ProcessSpec unstartable(String workerId) {
        fake.failNextStart("no such program");
        return longRunning(workerId);
    }

    @Override
    protected WorkerProcess exitingWith(String workerId, int code) {
        WorkerProcess process = controller().start(longRunning(workerId));
        fake.exit(workerId, code);
        return process;
    }

    @Override
    protected Optional<WorkerProcess> ignoringTerminate(String workerId) {
        WorkerProcess process = controller().start(longRunning(workerId));
        fake.ignoreTerminate(workerId);
        return Optional.of(process);
    }

    @Override
    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
        WorkerProcess process = controller().start(longRunning(workerId));
        for (String line : lines) {
            fake.print(workerId, line);
        }
        return Optional.of(process);
    }

    /** Only a running process can be left behind by a fake. */
    @Override
    protected Optional<Set<String>> leftovers() {
        return Optional.of(Set.copyOf(fake.running()));
    }

    /** Effects on a fake are immediate. */
    @Override
    protected boolean awaitTrue(BooleanSupplier condition, Duration atMost) {
        return condition.getAsBoolean();
    }
}
