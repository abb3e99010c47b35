package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A listener that throws at every event, and calls back. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyListenerTest {

    @Test
    void aListenerThatThrowsAndCallsBackReceivesEveryEvent() {
        UnexpectedWarnings.expect(
                "failed on Registered", "failed on BecameReady", "failed on StopStarted", "failed on Removed");
        VirtualHive hive = new VirtualHive();
        List<String> heard = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    heard.add(event.getClass().getSimpleName());
                    hive.registry.list();
                    hive.registry.heartbeat("unknown");
                    hive.supervisor.stop("unknown");
                    throw Fault.<RuntimeException>sneaky(
                            heard.size() % 2 == 0 ? new Fault.Unreadable() : new StackOverflowError("broken"));
                },
                Runnable::run);

        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        assertThat(heard).containsExactly("Registered", "BecameReady", "StopStarted", "Removed");
        assertThat(hive.heard.historyOf(id)).isEqualTo(heard);
    }
}
