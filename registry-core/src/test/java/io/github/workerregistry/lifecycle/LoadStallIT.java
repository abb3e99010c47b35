package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Loads of real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LoadStallIT {

    @RegisterExtension
    final RealHive hive;

    LoadStallIT(@TempDir Path directory) {
        hive = new RealHive(directory);
    }

    /** Loads are judged once a {@link LoadLoop#PERIOD}, so that a limit of two of them is a short one. */
    @Test
    void aLoadThatPrintsNothingIsEndedBesideOneThatPrintsAndOneThatTheHostSpeaksFor() {
        UnexpectedWarnings.expect("is given up: its load made no progress for PT2S");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().loadStall(LoadLoop.PERIOD.multipliedBy(2)));
        WorkerInfo printing = hive.spawn(supervisor, "while :; do printf .; sleep 0.1; done");
        WorkerInfo spokenFor = hive.spawn(supervisor, SLEEP);
        var word = hive.scheduler.scheduleWithFixedDelay(
                () -> supervisor.progress(spokenFor.id()), 0, 100, TimeUnit.MILLISECONDS);

        WorkerInfo silent = hive.spawn(supervisor, SLEEP); // the last one, and yet the first to go
        hive.awaitGone(silent);
        word.cancel(false);

        assertThat(isRunning(silent)).isFalse();
        assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.workerId()).isEqualTo(silent.id());
            assertThat(exit.cause()).isEqualTo(Exit.Cause.LOAD_STALL);
            assertThat(exit.output()).isEmpty();
        });
        assertThat(List.of(printing, spokenFor)).allSatisfy(worker -> {
            assertThat(hive.state(worker)).isInstanceOf(Loading.class);
            assertThat(isRunning(worker)).isTrue();
        });
        assertThat(Duration.between(
                        printing.startedAt(), supervisor.recentExits().get(0).at()))
                .isGreaterThanOrEqualTo(Duration.ofSeconds(2));
    }
}
