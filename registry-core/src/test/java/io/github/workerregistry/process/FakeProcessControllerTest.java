package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.FakeProcessController;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** The fake keeps the promises that the real controller keeps. */
class FakeProcessControllerTest extends ProcessControllerContract {

    private final FakeProcessController fake = new FakeProcessController();

    @Override
    ProcessController controller() {
        return fake;
    }

    private ProcessSpec spec() {
        return new ProcessSpec("w", List.of("serve"), Map.of(), Optional.empty());
    }

    @Override
    WorkerProcess running() {
        return fake.start(spec());
    }

    @Override
    WorkerProcess endingWith(int code) {
        WorkerProcess process = running();
        fake.exit("w", code);
        return process;
    }

    @Override
    WorkerProcess stubborn() {
        WorkerProcess process = running();
        fake.ignoreTerminate("w");
        return process;
    }

    @Override
    WorkerProcess printing(String... lines) {
        WorkerProcess process = running();
        for (String line : lines) {
            fake.print("w", line);
        }
        return process;
    }

    @Override
    ProcessSpec unstartable() {
        fake.failNextStart("no such program");
        return spec();
    }

    @Override
    void eventually(BooleanSupplier condition) {
        assertThat(condition.getAsBoolean()).isTrue();
    }
}
