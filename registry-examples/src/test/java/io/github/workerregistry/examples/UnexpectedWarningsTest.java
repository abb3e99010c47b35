package io.github.workerregistry.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says nowhere that it wants to be watched, as no test of this module does. */
class UnexpectedWarningsTest {

    private static final Logger log = LoggerFactory.getLogger("io.github.workerregistry.lifecycle.ALoop");

    @ExpectWarnings("was lost")
    private static final class Announcing {}

    @Test
    void everyTestIsWatched() {
        log.warn("worker {} was lost", "w");

        assertThat(UnexpectedWarnings.culprits(UnexpectedWarningsTest.class))
                .containsExactly("WARN of io.github.workerregistry.lifecycle.ALoop: worker w was lost");
        assertThat(UnexpectedWarnings.culprits(UnexpectedWarningsTest.class)).isEmpty();
    }

    @Test
    void whatAClassAnnouncesIsNoCulpritAndTheRestIs() {
        log.warn("worker {} was lost", "w");
        log.error("worse");
        log.info("worker {} is ready", "w");
        LoggerFactory.getLogger("io.github.another").warn("not ours");

        assertThat(UnexpectedWarnings.culprits(Announcing.class))
                .containsExactly("ERROR of io.github.workerregistry.lifecycle.ALoop: worse");
    }
}
