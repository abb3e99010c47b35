package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Commands to a worker in backoff, for every way in which its process exited. It has no process and no slot can be
 * acquired; {@code reportReady} fails.
 *
 * <pre>
 *  stop                   removes it, REQUESTED, and gives its exit status
 *  force kill             removes it, FORCED, and gives the same
 *  restart                starts it now
 *  removal of the record  ends it, DEREGISTERED
 * </pre>
 *
 * <p>The delay is an hour, so that no restart is due during the test.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class BackingOffMatrixIT {

    private static final Duration WAIT = Duration.ofHours(1);

    @RegisterExtension
    final RealHive hive = new RealHive();

    private final PortPool ports = FreePorts.range(100);

    private enum Command {
        STOP(Exit.Cause.REQUESTED),
        FORCE_KILL(Exit.Cause.FORCED),
        REMOVE(Exit.Cause.DEREGISTERED),
        RESTART(Exit.Cause.RESTART);

        private final Exit.Cause reason;

        Command(Exit.Cause reason) {
            this.reason = reason;
        }
    }

    private record Cell(Command command, RestartPolicy.Mode mode, ProcessExit end) {

        /** A worker that is not restarted is never in backoff. */
        static Stream<Cell> all() {
            return Stream.of(Command.values())
                    .flatMap(command -> Stream.of(RestartPolicy.Mode.values())
                            .flatMap(mode -> Stream.of(ProcessExit.values())
                                    .filter(end -> end.isCoveredBy(mode))
                                    .map(end -> new Cell(command, mode, end))));
        }

        List<String> history() {
            return Stream.of(
                            Stream.of("Registered", "BecameReady"),
                            Stream.of("Crashed").filter(event -> end.cause == Exit.Cause.CRASHED),
                            Stream.of("RestartScheduled", command == Command.RESTART ? "Restarted" : "Removed"))
                    .flatMap(events -> events)
                    .toList();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyCommandInBackoff() {
        UnexpectedWarnings.expect(
                Warnings.CRASHED + ", exit code 3",
                Warnings.CRASHED + ", exit code 7",
                Warnings.CRASHED + ", signal 9",
                Warnings.CRASHED + ", signal 11");
        Map<RestartPolicy.Mode, WorkerSupervisor> supervisors = new EnumMap<>(RestartPolicy.Mode.class);
        supervisors.put(RestartPolicy.Mode.ON_FAILURE, supervise(RestartPolicy.Mode.ON_FAILURE));
        supervisors.put(RestartPolicy.Mode.ALWAYS, supervise(RestartPolicy.Mode.ALWAYS));
        List<Subject> subjects = Cell.all()
                .map(cell -> new Subject(cell, supervisors.get(cell.mode())))
                .toList();
        subjects.forEach(Subject::becomeReady);
        subjects.stream()
                .collect(groupingBy(subject -> subject.cell.end(), mapping(subject -> subject.before, toList())))
                .forEach(ProcessExit::strike);
        return subjects.stream().map(subject -> ExitMatrixIT.testOf(subject.cell, subject::check));
    }

    private WorkerSupervisor supervise(RestartPolicy.Mode mode) {
        return hive.supervise(builder -> builder.ports(ports)
                .restartPolicy(RestartPolicy.builder()
                        .mode(mode)
                        .initial(WAIT)
                        .max(WAIT)
                        .limit(1)
                        .window(WAIT.multipliedBy(2))
                        .build())
                .lifecycle(RealHive.config().healthInterval(WAIT).build()));
    }

    /** The worker of one cell. */
    private final class Subject {
        private final Cell cell;
        private final WorkerSupervisor supervisor;
        private final WorkerInfo before;

        Subject(Cell cell, WorkerSupervisor supervisor) {
            this.cell = cell;
            this.supervisor = supervisor;
            this.before = hive.spawn(supervisor, ProcessExit.SCRIPT, "http://127.0.0.1:{port}");
        }

        void becomeReady() {
            hive.awaitFlag(before);
            assertThat(supervisor.reportReady(before.id())).isTrue();
        }

        void check() {
            eventually().until(() -> hive.state(before) instanceof BackingOff);
            assertThat(isRunning(before)).isFalse();
            assertThat(hive.worker(before).pid()).isEmpty();
            assertThat(hive.registry.tryAcquireFrom(before.id())).isEmpty();
            assertThat(supervisor.reportReady(before.id())).isFalse();
            assertThat(FreePorts.isFree(ports, before)).isFalse();

            switch (cell.command()) {
                case STOP -> checkEnded(supervisor.stop(before.id()));
                case FORCE_KILL -> checkEnded(supervisor.forceKill(before.id()));
                case REMOVE -> assertThat(hive.registry.remove(before.id())).isPresent();
                case RESTART -> checkRestarted(supervisor.restart(before.id()));
            }

            eventually().until(() -> hive.heard.historyOf(before.id()), cell.history()::equals);
            assertThat(supervisor.recentExits().stream()
                            .filter(exit -> exit.workerId().equals(before.id())))
                    .as("the process exited once, with its own cause")
                    .extracting(Exit::cause)
                    .containsExactly(cell.end().cause);
            boolean removed = cell.command() != Command.RESTART;
            assertThat(hive.isRemoved(before)).isEqualTo(removed);
            if (removed) {
                hive.awaitFlag(before, 1);
                assertThat(hive.heard.eventsOf(before.id()))
                        .last()
                        .isInstanceOfSatisfying(
                                WorkerEvent.Removed.class,
                                event -> assertThat(event.cause()).isEqualTo(cell.command().reason));
            }
            eventually().until(() -> FreePorts.isFree(ports, before) == removed); // a tick detects the removal
        }

        private void checkEnded(CompletionStage<ExitStatus> ended) {
            assertThat(ended.toCompletableFuture())
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(ExitStatus.unrequested(cell.end().code));
        }

        private void checkRestarted(CompletionStage<WorkerInfo> restarted) {
            assertThat(restarted.toCompletableFuture()).succeedsWithin(PATIENCE).satisfies(after -> {
                assertThat(after.generation()).isEqualTo(before.generation() + 1);
                assertThat(after.state()).isInstanceOf(Loading.class);
                assertThat(isRunning(after)).isTrue();
            });
            hive.awaitFlag(before, 2);
        }
    }
}
