package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.OnePort.withId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that a controller gives after their start was abandoned: they are killed until they exit, and released. */
@ExtendWith(UnexpectedWarnings.class)
class LateProcessTest {

    private static final String STOPPED = "was stopped during its start";

    @RegisterExtension
    private final BlockedStart blocked = new BlockedStart();

    @Test
    void aProcessOfAnAbandonedStartIsKilledAndReleased() throws Exception {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;
        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);

        blocked.finish();

        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(hive.processes.exitOf(id)).hasValue(ExitStatus.requested(137));
        assertThat(blocked.released).hasValue(2);
        assertThat(hive.isRemoved(id)).isTrue();
        blocked.onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void aProcessStartedAfterTheShutdownIsKilledAndReleased() throws Exception {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;
        hive.supervisor.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(60);

        blocked.finish();

        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(blocked.released).hasValue(2);
        assertThat(hive.isRemoved(id)).isTrue();
        blocked.onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void aProcessStartedAfterTheCloseIsKilledAndReleased() throws Exception {
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;
        hive.supervisor.closeNow();

        blocked.finish();

        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(blocked.released).hasValue(2);
        assertThat(hive.isRemoved(id)).isTrue();
        blocked.onePort.assertNoProcessAndNoPort(hive);
    }

    /** Regression: the pid was written into the record of the next worker with the id. */
    @Test
    void aLateProcessIsNotAttributedToTheNextWorkerWithItsId() throws Exception {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;
        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);
        WorkerInfo other = hive.supervisor.spawn(withId(id));
        long pid = other.pid().orElseThrow();

        blocked.finish();

        assertThat(hive.worker(id).pid()).hasValue(pid);
        assertThat(hive.worker(id).state().label()).isEqualTo("loading");
    }

    /** In real time, because the loops may have ended. */
    @Test
    void aLateProcessThatSurvivesItsKillIsKilledAgain() throws Exception {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;
        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);
        AtomicInteger kills = new AtomicInteger();
        blocked.wrapper = process -> new ForwardingProcess(process) {
            @Override
            public void kill() {
                if (kills.incrementAndGet() == 2) {
                    super.kill();
                }
            }
        };

        blocked.finish();

        assertThat(hive.processes.running()).containsExactly(id);
        await().until(() -> hive.processes.running().isEmpty());
        await().until(() -> blocked.released.get() == 2);
        assertThat(kills).hasValue(2);
    }

    @Test
    void aLateProcessThatSurvivesEveryKillIsLogged() throws Exception {
        UnexpectedWarnings.expect(STOPPED, "which was started too late, survived SIGKILL");
        String id = blocked.begin(VirtualHive.config().killTimeout(Duration.ofMillis(50)));
        VirtualHive hive = blocked.hive;
        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);
        AtomicBoolean unkillable = new AtomicBoolean(true);
        blocked.wrapper = process -> new ForwardingProcess(process) {
            @Override
            public void kill() {
                if (!unkillable.get()) {
                    super.kill();
                }
            }
        };

        blocked.finish();

        assertThat(hive.processes.running()).containsExactly(id);
        assertThat(blocked.released).as("files that it may still write").hasValue(1);
        unkillable.set(false);
        await().until(() -> blocked.released.get() == 2);
        assertThat(hive.processes.running()).isEmpty();
    }

    /** Regression: it was abandoned although no signal had been sent, and its process and files were left. */
    @Test
    void aLateProcessIsKilledUntilAKillSucceeds() throws Exception {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin(VirtualHive.config().killTimeout(Duration.ofMillis(50)));
        VirtualHive hive = blocked.hive;
        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);
        Set<Thread> killers = ConcurrentHashMap.newKeySet();
        AtomicBoolean shortage = new AtomicBoolean(true);
        blocked.wrapper = process -> new ForwardingProcess(process) {
            @Override
            public void kill() {
                killers.add(Thread.currentThread());
                if (shortage.get()) {
                    throw new IllegalStateException("no file descriptor is free");
                }
                super.kill();
            }

            @Override
            public boolean survivesKill() {
                return false;
            }
        };
        blocked.finish();
        assertThat(killers).hasSize(1);

        hive.supervisor.shutdown(Duration.ofSeconds(5));
        assertThat(killers).as("the shutdown kills it").contains(Thread.currentThread());
        assertThat(hive.processes.running()).containsExactly(id);

        shortage.set(false);
        await().until(() -> blocked.released.get() == 2);
        assertThat(hive.processes.running()).isEmpty();
    }
}
