package io.github.workerregistry.testing.contract;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** The scripted probe fulfils the same contract as real probes. */
@ExtendWith(UnexpectedWarnings.class)
class ScriptedHealthProbeTest extends ScriptedProbeContract {

    @TestFactory
    Stream<DynamicTest> fulfilsTheContract() {
        return checks().stream()
                .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
    }
}
