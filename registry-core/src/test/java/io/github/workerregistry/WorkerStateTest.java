package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.RecordingListener;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(UnexpectedWarnings.class)
class WorkerStateTest {

    /**
     * All transitions: the diagram in {@link WorkerState} and the two below it. {@code x} is legal, {@code -} is not,
     * {@code =} changes nothing.
     */
    private static final String EDGES = """
            from \\ to   loading  idle  busy  backing_off  stopping  unhealthy
            loading      -        x     -     x            x         x
            idle         -        =     x     x            x         x
            busy         -        x     =     x            x         x
            backing_off  x        -     -     -            -         -
            stopping     -        -     -     -            -         -
            unhealthy    -        -     -     x            -         -
            """;

    private static final Map<String, WorkerState> STATES = Map.of(
            "loading", LOADING,
            "idle", IDLE,
            "busy", BUSY,
            "backing_off", backingOff(loading("w")),
            "stopping", STOPPING,
            "unhealthy", STOPPING_BECAUSE_UNHEALTHY);

    static Stream<Arguments> edges() {
        List<String[]> rows = EDGES.lines().map(line -> line.split(" {2,}")).toList();
        String[] to = rows.get(0);
        return rows.stream()
                .skip(1)
                .flatMap(row ->
                        Stream.iterate(1, i -> i < row.length, i -> i + 1).map(i -> arguments(row[0], to[i], row[i])));
    }

    @Test
    void tableContainsEveryStateAndEveryPair() {
        assertThat(edges()).hasSize(36);
        assertThat(STATES.values())
                .extracting(Object::getClass)
                .containsAll(List.of(WorkerState.class.getPermittedSubclasses()));
    }

    @ParameterizedTest(name = "{0} -> {1}: {2}")
    @MethodSource("edges")
    void canBecomeFollowsTheTable(String from, String to, String edge) {
        assertThat(STATES.get(from).canBecome(STATES.get(to))).isEqualTo(!edge.equals("-"));
    }

    @ParameterizedTest(name = "{0} -> {1}: {2}")
    @MethodSource("edges")
    void registryAllowsExactlyTheTransitionsOfTheTable(String from, String to, String edge) {
        WorkerInfo before = worker("w").state(STATES.get(from)).build();
        WorkerRegistry registry = WorkerRegistry.create();
        registry.register(before);
        RecordingListener heard = new RecordingListener();
        registry.subscribe(heard, Runnable::run);

        if (edge.equals("-")) {
            Assertions.assertThatExceptionOfType(IllegalTransitionException.class)
                    .isThrownBy(() -> registry.updateState("w", STATES.get(to)))
                    .withMessageStartingWith("worker w cannot transition from %s to %s", label(from), label(to))
                    .returns("w", IllegalTransitionException::workerId);
        } else {
            assertThat(registry.updateState("w", STATES.get(to)).orElseThrow().state())
                    .isEqualTo(STATES.get(to));
        }

        if (edge.equals("x")) {
            assertThat(registry.get("w").orElseThrow().state()).isEqualTo(STATES.get(to));
        } else {
            assertThat(registry.get("w")).contains(before);
            assertThat(heard.events()).isEmpty();
        }
    }

    private static String label(String state) {
        return STATES.get(state).label();
    }

    @ParameterizedTest
    @EnumSource
    void onlyAFailureOrARestartAllowsBackingOffAfterStopping(StopReason reason) {
        assertThat(new Stopping(reason).canBecome(STATES.get("backing_off")))
                .isEqualTo(reason.isFailure() || reason == StopReason.RESTART);
    }

    @Test
    void aReplacementInPlaceAllowsBackingOffAfterStopping() {
        assertThat(new Stopping(StopReason.REPLACED, true).canBecome(STATES.get("backing_off")))
                .isTrue();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Stopping(StopReason.REQUESTED, true))
                .withMessage("inPlace must have the reason REPLACED, was REQUESTED");
    }

    @ParameterizedTest
    @CsvSource({
        "loading, loading, false",
        "idle, idle, true",
        "busy, busy, true",
        "backing_off, backing_off, false",
        "stopping, stopping, false",
        "unhealthy, stopping, false",
    })
    void stateHasALabelAndIsRoutableOrNot(String state, String label, boolean routable) {
        assertThat(STATES.get(state).label()).isEqualTo(label);
        assertThat(STATES.get(state).routable()).isEqualTo(routable);
    }

    @Test
    void stateWithoutAComponentIsRefused() {
        Exit crash = crash(loading("w"));
        assertThatNullPointerException().isThrownBy(() -> new Loading(null)).withMessage("since");
        assertThatNullPointerException().isThrownBy(() -> new Stopping(null)).withMessage("reason");
        assertThatNullPointerException()
                .isThrownBy(() -> new BackingOff(1, null, crash))
                .withMessage("retryAt");
        assertThatNullPointerException()
                .isThrownBy(() -> new BackingOff(1, START, null))
                .withMessage("exit");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new BackingOff(0, START, crash))
                .withMessage("attempt must be >= 1, was 0");
    }

    @Test
    void exitWithoutAComponentIsRefused() {
        Incarnation first = new Incarnation("w", 1, START);
        ExitStatus status = ExitStatus.unrequested(1);
        List<String> output = List.of();
        Exit.Cause cause = Exit.Cause.CRASHED;
        assertThatNullPointerException()
                .isThrownBy(() -> new Exit(null, MODEL, cause, status, output, START))
                .withMessage("incarnation");
        assertThatNullPointerException()
                .isThrownBy(() -> new Exit(first, null, cause, status, output, START))
                .withMessage("modelRef");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Exit(first, " ", cause, status, output, START))
                .withMessage("modelRef must not be blank");
        assertThatNullPointerException()
                .isThrownBy(() -> new Exit(first, MODEL, null, status, output, START))
                .withMessage("cause");
        assertThatNullPointerException()
                .isThrownBy(() -> new Exit(first, MODEL, cause, null, output, START))
                .withMessage("status");
        assertThatNullPointerException()
                .isThrownBy(() -> new Exit(first, MODEL, cause, status, null, START))
                .withMessage("output");
        assertThatNullPointerException()
                .isThrownBy(() -> new Exit(first, MODEL, cause, status, output, null))
                .withMessage("at");
    }

    @Test
    void exitCopiesItsOutput() {
        List<String> output = new java.util.ArrayList<>(List.of("CUDA error: out of memory"));
        Exit exit = new Exit(
                new Incarnation("w", 1, START), MODEL, Exit.Cause.CRASHED, ExitStatus.unrequested(1), output, START);
        output.clear();

        assertThat(exit.output()).containsExactly("CUDA error: out of memory");
    }
}
