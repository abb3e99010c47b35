package io.github.workerregistry.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ProcessController;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** The fake controller fulfils the same contract as the real one. */
@ExtendWith(UnexpectedWarnings.class)
class FakeProcessControllerTest extends FakeProcessContract {

    @Override
    protected ProcessController controller() {
        return fake();
    }

    @TestFactory
    Stream<DynamicTest> fulfilsTheContract() {
        return checks().stream()
                .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
    }

    @AfterEach
    void everyCheckEndsItsProcesses() {
        assertThat(fake().starts()).isPositive();
        assertThat(fake().running()).isEmpty();
    }
}
