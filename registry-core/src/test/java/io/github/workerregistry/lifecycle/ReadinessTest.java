package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker is ready when it answers, and not when another process does, or an earlier generation calls back. */
@ExtendWith(UnexpectedWarnings.class)
class ReadinessTest {

    private static final WorkerSpec SPEC = WorkerSpec.builder()
            .id("w")
            .modelRef("tiny")
            .command("serve")
            .url("http://127.0.0.1:1")
            .build();

    private final FakeProcessController processes = new FakeProcessController();
    private final List<InetSocketAddress> asked = new ArrayList<>();
    private Optional<Boolean> owns = Optional.of(true);
    private boolean unreadable;
    private final VirtualHive hive = new VirtualHive(builder -> builder.processes(this::start)
            .restart(RestartPolicy.builder().jitter(0).build()));

    private WorkerProcess start(ProcessSpec spec) {
        return new ForwardingProcess(processes.start(spec)) {
            @Override
            public Optional<Boolean> ownsListener(InetSocketAddress address) {
                asked.add(address);
                if (unreadable) {
                    throw new IllegalStateException("no file descriptor is free");
                }
                return owns;
            }
        };
    }

    @Test
    void workerThatListensItselfIsReadyWhenItAnswers() {
        hive.supervisor.spawn(SPEC);

        hive.advanceSeconds(1);

        assertThat(hive.state("w")).isEqualTo(new Idle());
        assertThat(asked).extracting(InetSocketAddress::getPort).containsExactly(1);
    }

    @Test
    void anotherProcessThatAnswersMakesNoWorkerReadyAndIsWarnedOfOnce() {
        UnexpectedWarnings.expect("another process answers its health checks");
        owns = Optional.of(false);
        hive.supervisor.spawn(SPEC);

        hive.advanceSeconds(8);
        assertThat(hive.state("w")).isInstanceOf(Loading.class);
        assertThat(hive.registry.tryAcquire("tiny")).isEmpty();
        owns = Optional.of(true);
        hive.advanceSeconds(1);

        assertThat(hive.state("w")).isEqualTo(new Idle());
    }

    @Test
    void theHealthCheckAloneDecidesWhereTheOwnerIsNotKnown() {
        owns = Optional.empty();
        hive.supervisor.spawn(SPEC);

        hive.advanceSeconds(1);

        assertThat(hive.state("w")).isEqualTo(new Idle());
    }

    @Test
    void ownerThatCannotBeReadNowIsAskedForAgainByTheNextProbe() {
        unreadable = true;
        hive.supervisor.spawn(SPEC);
        hive.advanceSeconds(3);
        assertThat(hive.state("w")).isInstanceOf(Loading.class);

        unreadable = false;
        hive.advanceSeconds(1);

        assertThat(hive.state("w")).isEqualTo(new Idle());
    }

    @Test
    void workerWhoseListenerIsOutsideItsTreeIsNotChecked() {
        owns = Optional.of(false);
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w")
                .modelRef("tiny")
                .command("docker")
                .url("http://127.0.0.1:1")
                .listenerOutsideTree()
                .build());

        hive.advanceSeconds(1);

        assertThat(hive.state("w")).isEqualTo(new Idle());
        assertThat(asked).isEmpty();
    }

    @Test
    void lateCallBackOfAnEarlierGenerationMakesNoLaterOneReady() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        hive.spawnLoading();
        hive.supervisor.spawn(SPEC);
        processes.exit("w", 1);
        hive.advance(Duration.ofMillis(1_100));
        assertThat(hive.worker("w").generation()).isEqualTo(2);

        assertThat(hive.supervisor.ready("w", 1)).isFalse();
        assertThat(hive.state("w")).isInstanceOf(Loading.class);
        assertThat(hive.supervisor.ready("w", 2)).isTrue();
        assertThat(hive.supervisor.ready("w", 3)).isFalse();
    }
}
