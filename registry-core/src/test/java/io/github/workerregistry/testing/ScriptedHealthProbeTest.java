package io.github.workerregistry.testing;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** The probe of the testing package keeps the promises that real ones keep. */
@ExtendWith(UnexpectedWarnings.class)
class ScriptedHealthProbeTest extends ScriptedProbeContract {

    @TestFactory
    Stream<DynamicTest> keepsTheContract() {
        return checks().stream()
                .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
    }
}
