package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/**
 * What follows an exit: every kind of exit, in every state, under every restart policy. All workers run in one hive;
 * each cell is a test. (After {@code supervisor_SUITE} of Erlang/OTP.)
 *
 * <p>A worker that was loading, idle or busy:
 *
 * <pre>
 *  its process exited with    cause      never      on failure   always
 *  exit code 0                EXITED     removed    removed      restarted
 *  exit code 3                CRASHED    removed    restarted    restarted
 *  SIGKILL                    CRASHED    removed    restarted    restarted
 *  SIGSEGV                    CRASHED    removed    restarted    restarted
 *  SIGTERM, with code 7       CRASHED    removed    restarted    restarted
 * </pre>
 *
 * <p>One that was being stopped is removed under every policy. The cause is as above while it drains, and REQUESTED
 * from the signal on, whatever its exit code.
 *
 * <p>Always: an open lease becomes invalid, and releases no slot when it is closed; all slots of a restarted worker are
 * free; the port is free if and only if the worker is removed; no process of the old generation runs.
 *
 * <p>A worker in backoff has no process: {@link BackingOffMatrixIT}.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ExitMatrixIT {

    @RegisterExtension
    final RealHive hive = new RealHive();

    private final PortPool ports = FreePorts.range(100);

    /** When the process exits. The last two are both Stopping. */
    private enum When {
        LOADING,
        IDLE,
        BUSY,
        DRAINING,
        ASKED
    }

    /** A cell and its expectation. */
    private record Cell(When when, RestartPolicy.Mode mode, ProcessExit end) {

        static Stream<Cell> all() {
            return Stream.of(When.values())
                    .flatMap(when -> Stream.of(RestartPolicy.Mode.values())
                            .flatMap(mode -> Stream.of(ProcessExit.values()).map(end -> new Cell(when, mode, end))));
        }

        boolean isStopping() {
            return when == When.DRAINING || when == When.ASKED;
        }

        Exit.Cause cause() {
            return when == When.ASKED ? Exit.Cause.REQUESTED : end.cause;
        }

        ExitStatus status() {
            return when == When.ASKED ? ExitStatus.requested(end.code) : ExitStatus.unrequested(end.code);
        }

        boolean isRestarted() {
            return !isStopping() && end.isCoveredBy(mode);
        }

        List<String> history() {
            return Stream.of(
                            Stream.of("Registered"),
                            Stream.of("BecameReady").filter(event -> when != When.LOADING),
                            Stream.of("StopStarted").filter(event -> isStopping()),
                            Stream.of("Crashed").filter(event -> cause() == Exit.Cause.CRASHED),
                            isRestarted() ? Stream.of("RestartScheduled", "Restarted") : Stream.of("Removed"))
                    .flatMap(events -> events)
                    .toList();
        }

        /** The stop makes this one exit; the scripts of others ignore SIGTERM, so that they can exit otherwise. */
        boolean isEndedByBeingAsked() {
            return when == When.ASKED && end == ProcessExit.TRAPPED_SIGTERM;
        }

        String script() {
            return when == When.ASKED && !isEndedByBeingAsked()
                    ? ProcessExit.IGNORES_SIGTERM_SCRIPT
                    : ProcessExit.SCRIPT;
        }
    }

    @TestFactory
    Stream<DynamicTest> everyExitInEveryState() {
        UnexpectedWarnings.expect(
                Warnings.CRASHED + ", exit code 3",
                Warnings.CRASHED + ", exit code 7",
                Warnings.CRASHED + ", signal 9",
                Warnings.CRASHED + ", signal 11");
        Map<RestartPolicy.Mode, WorkerSupervisor> supervisors = new EnumMap<>(RestartPolicy.Mode.class);
        for (RestartPolicy.Mode mode : RestartPolicy.Mode.values()) {
            supervisors.put(mode, supervise(mode));
        }
        List<Subject> subjects = Cell.all()
                .map(cell -> new Subject(cell, supervisors.get(cell.mode())))
                .toList();
        subjects.forEach(Subject::enter);
        subjects.stream()
                .filter(subject -> !subject.cell.isEndedByBeingAsked())
                .collect(groupingBy(subject -> subject.cell.end(), mapping(subject -> subject.before, toList())))
                .forEach(ProcessExit::strike);
        return subjects.stream().map(subject -> testOf(subject.cell, subject::check));
    }

    /** The build's report numbers such tests, so the message names the cell. */
    static DynamicTest testOf(Record cell, Executable check) {
        return dynamicTest(cell.toString(), () -> {
            try {
                check.execute();
            } catch (Throwable failure) {
                throw new AssertionError(cell.toString(), failure);
            }
        });
    }

    private WorkerSupervisor supervise(RestartPolicy.Mode mode) {
        Duration soon = Duration.ofMillis(50);
        return hive.supervise(builder -> builder.ports(ports)
                .restartPolicy(RestartPolicy.builder()
                        .mode(mode)
                        .initial(soon)
                        .max(soon)
                        .build())
                .lifecycle(RealHive.config()
                        .healthInterval(Duration.ofHours(1))
                        .drainTimeout(Duration.ofHours(1))
                        .stopGrace(Duration.ofHours(1)) // so that the supervisor kills none of them
                        .build()));
    }

    /** The worker of one cell. */
    private final class Subject {
        private final Cell cell;
        private final WorkerSupervisor supervisor;
        private final WorkerInfo before;
        private Optional<SlotLease> lease = Optional.empty();
        private Optional<CompletableFuture<ExitStatus>> stopped = Optional.empty();

        Subject(Cell cell, WorkerSupervisor supervisor) {
            this.cell = cell;
            this.supervisor = supervisor;
            this.before = hive.spawn(supervisor, cell.script(), "http://127.0.0.1:{port}");
        }

        /** Brings the worker into its state. */
        void enter() {
            hive.awaitFlag(before);
            if (cell.when() != When.LOADING) {
                assertThat(supervisor.reportReady(before.id())).isTrue();
            }
            if (cell.when() == When.BUSY || cell.when() == When.DRAINING) {
                lease = hive.registry.tryAcquireFrom(before.id());
                assertThat(lease).isPresent();
            }
            if (cell.isStopping()) {
                stopped = Optional.of(supervisor.stop(before.id()).toCompletableFuture());
            }
            if (!cell.isEndedByBeingAsked()) { // that one may have exited already
                eventually().until(() -> hive.state(before) instanceof Stopping == cell.isStopping());
                assertThat(hive.worker(before).slotsInUse()).isEqualTo(lease.isPresent() ? 1 : 0);
                assertThat(lease.stream()).allMatch(SlotLease::isValid);
            }
        }

        void check() {
            eventually().until(() -> hive.heard.historyOf(before.id()), cell.history()::equals);
            Exit exit = checkExit();
            assertThat(isRunning(before)).isFalse();
            assertThat(lease.stream()).noneMatch(SlotLease::isValid);
            stopped.ifPresent(
                    status -> assertThat(status).succeedsWithin(PATIENCE).isEqualTo(exit.status()));
            if (cell.isRestarted()) {
                checkRestarted();
            } else {
                checkRemoved(exit);
            }
            assertThat(FreePorts.isFree(ports, before)).isEqualTo(!cell.isRestarted());
        }

        private Exit checkExit() {
            List<Exit> exits = supervisor.recentExits().stream()
                    .filter(exit -> exit.workerId().equals(before.id()))
                    .toList();
            assertThat(exits).hasSize(1);
            Exit exit = exits.get(0);
            assertThat(exit.cause()).isEqualTo(cell.cause());
            assertThat(exit.status()).isEqualTo(cell.status());
            assertThat(exit.generation()).isEqualTo(before.generation());
            return exit;
        }

        private void checkRestarted() {
            WorkerInfo after = hive.awaitRestart(before, 1);
            assertThat(hive.awaitFlag(before, 2))
                    .containsExactly(
                            Long.toString(before.pid().orElseThrow()),
                            Long.toString(after.pid().orElseThrow()));
            assertThat(after.generation()).isEqualTo(before.generation() + 1);
            assertThat(after.state()).isInstanceOf(Loading.class);
            assertThat(after.url()).isEqualTo(before.url());
            assertThat(isRunning(after)).isTrue();

            assertThat(supervisor.reportReady(before.id())).isTrue();
            assertThat(hive.registry.tryAcquireFrom(before.id())).isPresent();
            assertThat(hive.registry.tryAcquireFrom(before.id())).isPresent();
            lease.ifPresent(SlotLease::close);
            assertThat(hive.worker(before).slotsInUse()).isEqualTo(after.slotsTotal());
        }

        private void checkRemoved(Exit exit) {
            assertThat(hive.isRemoved(before)).isTrue();
            assertThat(hive.awaitFlag(before, 1)).as("it was started once").hasSize(1);
            assertThat(hive.registry.tryAcquireFrom(before.id())).isEmpty();
            lease.ifPresent(SlotLease::close);
            assertThat(hive.heard.eventsOf(before.id()))
                    .last()
                    .isInstanceOfSatisfying(WorkerEvent.Removed.class, removed -> {
                        assertThat(removed.cause()).isEqualTo(cell.cause());
                        assertThat(removed.exit()).hasValue(exit);
                    });
        }
    }
}
