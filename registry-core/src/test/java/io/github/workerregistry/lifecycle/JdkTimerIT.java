package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ChildJvm;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class JdkTimerIT {

    /** Regression: an application in a class loader of its own (a web application, a bundle) was never unloaded. */
    @Test
    void theTimerThreadHoldsNoClassLoaderOfTheApplication() throws Exception {
        Process jvm = new ProcessBuilder(ChildJvm.command(TimerMain.class))
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(jvm.inputReader().lines()).contains("the loader is not kept", "the caller has its loader");
            assertThat(jvm.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            jvm.destroyForcibly().waitFor();
        }
    }
}
