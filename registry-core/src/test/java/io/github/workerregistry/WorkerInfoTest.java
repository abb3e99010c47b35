package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.workerregistry.internal.Checks;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class WorkerInfoTest {

    private static final List<String> NAMES = List.of("id", "url", "modelRef", "backend");

    /** A worker whose components all differ from their defaults. */
    private static final WorkerInfo FULL = new WorkerInfo(
            "w-1",
            "http://127.0.0.1:8101",
            "hf:org/model",
            "cuda",
            3,
            BUSY,
            START.plusSeconds(5),
            8,
            2,
            1,
            OptionalLong.of(4711),
            6,
            5,
            Optional.of(START.plusSeconds(4)),
            START.plusSeconds(1),
            true,
            Map.of("tier", "fast"));

    @Test
    void componentsAreInTheirDocumentedOrder() {
        assertThat(WorkerInfo.class.getRecordComponents())
                .extracting(RecordComponent::getName)
                .containsExactly(
                        "id",
                        "url",
                        "modelRef",
                        "backend",
                        "device",
                        "state",
                        "lastActivity",
                        "slotsTotal",
                        "slotsInUse",
                        "failedHealthChecks",
                        "pid",
                        "generation",
                        "restarts",
                        "lastHeartbeat",
                        "startedAt",
                        "suspected",
                        "labels");
    }

    static Stream<String> nonNullComponents() {
        return Arrays.stream(WorkerInfo.class.getRecordComponents())
                .filter(component -> !component.getType().isPrimitive())
                .map(RecordComponent::getName);
    }

    @ParameterizedTest
    @MethodSource("nonNullComponents")
    void constructorNamesTheComponentThatIsNull(String component) {
        assertThatNullPointerException()
                .isThrownBy(() -> construct(component, null))
                .withMessage(component);
    }

    static Stream<Arguments> malformedNames() {
        List<Arguments> cases = new ArrayList<>();
        for (String component : NAMES) {
            cases.add(arguments(component, "", "must not be blank"));
            cases.add(arguments(component, " \t ", "must not be blank"));
            cases.add(arguments(component, "\u2003", "must not be blank"));
            cases.add(arguments(component, "a\nb", "U+000A at index 1"));
            cases.add(arguments(component, "ab\r", "U+000D at index 2"));
            cases.add(arguments(component, "\0", "U+0000 at index 0"));
            cases.add(arguments(component, "\u001b[31mred", "U+001B at index 0"));
            cases.add(arguments(component, "a\u007f", "U+007F at index 1"));
            cases.add(arguments(component, "a\u0085b", "U+0085 at index 1"));
            cases.add(arguments(component, "a\u2028b", "U+2028 at index 1"));
            cases.add(arguments(component, "a\u2029b", "U+2029 at index 1"));
            cases.add(arguments(component, "x".repeat(257), "has 257"));
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("malformedNames")
    void malformedNameIsRefusedByConstructorAndBuilder(String component, String value, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> construct(component, value))
                .withMessageStartingWith(component + " ")
                .withMessageContaining(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> build(component, String.class, value))
                .withMessageStartingWith(component + " ")
                .withMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "a b", "Größe", "模型", "hf:org/model@main#q4?x=1&y=2", "\ud83d\ude80"})
    void anyPrintableNameIsAccepted(String value) throws Throwable {
        for (String component : NAMES) {
            assertThat(construct(component, value)).isEqualTo(build(component, String.class, value));
        }
    }

    @Test
    void nameMayHave256Characters() throws Throwable {
        for (String component : NAMES) {
            assertThat(construct(component, "x".repeat(Checks.MAX_NAME_LENGTH))).isNotNull();
        }
        assertThat(Checks.MAX_NAME_LENGTH).isEqualTo(256);
    }

    @ParameterizedTest
    @CsvSource({
        "device, -1, 'device must be >= 0, was -1'",
        "slotsTotal, 0, 'slotsTotal must be >= 1, was 0'",
        "slotsTotal, -3, 'slotsTotal must be >= 1, was -3'",
        "slotsTotal, 1, 'slotsInUse must be <= slotsTotal, was 2 > 1'",
        "slotsInUse, -1, 'slotsInUse must be >= 0, was -1'",
        "slotsInUse, 9, 'slotsInUse must be <= slotsTotal, was 9 > 8'",
        "slotsInUse, 0, 'a worker that is busy cannot have 0 slots in use'",
        "failedHealthChecks, -1, 'failedHealthChecks must be >= 0, was -1'",
        "generation, -1, 'generation must be >= 0, was -1'",
        "restarts, -2147483648, 'restarts must be >= 0, was -2147483648'",
    })
    void countOutOfRangeIsRefusedByConstructorAndBuilder(String component, int value, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> construct(component, value))
                .withMessage(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> build(component, int.class, value))
                .withMessage(message);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void pidMustBePositive(long pid) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> construct("pid", OptionalLong.of(pid)))
                .withMessage("pid must be > 0, was " + pid);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> build("pid", long.class, pid))
                .withMessage("pid must be > 0, was " + pid);
    }

    static Stream<WorkerState> statesWithoutWork() {
        return Stream.of(LOADING, IDLE, backingOff(FULL));
    }

    @ParameterizedTest
    @MethodSource("statesWithoutWork")
    void onlyABusyOrStoppingWorkerHasSlotsInUse(WorkerState state) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> construct("state", state))
                .withMessage("a worker that is %s cannot have 2 slots in use", state.label());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FULL.toBuilder().state(state).build())
                .withMessage("a worker that is %s cannot have 2 slots in use", state.label());
    }

    @Test
    void stoppingWorkerMayHaveSlotsInUse() {
        assertThat(FULL.toBuilder().state(STOPPING).build().slotsInUse()).isEqualTo(2);
        assertThat(FULL.toBuilder().state(STOPPING).slotsInUse(0).build().slotsInUse())
                .isZero();
    }

    @Test
    void builderNamesTheRequiredComponentThatIsMissing() {
        assertThatNullPointerException()
                .isThrownBy(() -> WorkerInfo.builder().build())
                .withMessage("id");
        assertThatNullPointerException()
                .isThrownBy(() -> WorkerInfo.builder().id("w").build())
                .withMessage("url");
        assertThatNullPointerException()
                .isThrownBy(() -> WorkerInfo.builder().id("w").url("u").build())
                .withMessage("modelRef");
    }

    static Stream<Arguments> nullsForTheBuilder() {
        return Stream.of(
                arguments("id", (Consumer<WorkerInfo.Builder>) builder -> builder.id(null)),
                arguments("url", (Consumer<WorkerInfo.Builder>) builder -> builder.url(null)),
                arguments("modelRef", (Consumer<WorkerInfo.Builder>) builder -> builder.modelRef(null)),
                arguments("backend", (Consumer<WorkerInfo.Builder>) builder -> builder.backend(null)),
                arguments("lastHeartbeat", (Consumer<WorkerInfo.Builder>) builder -> builder.lastHeartbeat(null)));
    }

    @ParameterizedTest
    @MethodSource("nullsForTheBuilder")
    void builderNamesTheComponentThatIsNull(String component, Consumer<WorkerInfo.Builder> setToNull) {
        assertThatNullPointerException()
                .isThrownBy(() -> {
                    WorkerInfo.Builder builder = FULL.toBuilder();
                    setToNull.accept(builder);
                    builder.build();
                })
                .withMessage(component);
    }

    @Test
    void builderNeedsOnlyIdUrlAndModel() {
        Instant before = Instant.now();
        WorkerInfo worker = WorkerInfo.builder()
                .id("w")
                .url("http://worker")
                .modelRef("model")
                .build();

        assertThat(worker.startedAt()).isBetween(before, Instant.now());
        assertThat(worker)
                .isEqualTo(new WorkerInfo(
                        "w",
                        "http://worker",
                        "model",
                        "cpu",
                        0,
                        new WorkerState.Loading(worker.startedAt()),
                        worker.startedAt(),
                        1,
                        0,
                        0,
                        OptionalLong.empty(),
                        1,
                        0,
                        Optional.empty(),
                        worker.startedAt(),
                        false,
                        Map.of()));
    }

    @Test
    void orderOfBuilderCallsDoesNotMatter() {
        assertThat(worker("w").slotsInUse(3).slotsTotal(4).state(BUSY).build())
                .isEqualTo(worker("w").state(BUSY).slotsTotal(4).slotsInUse(3).build());
    }

    @Test
    void busyWorkerHasAllSlotsInUseByDefault() {
        assertThat(worker("w").state(BUSY).slotsTotal(4).build().slotsInUse()).isEqualTo(4);
        assertThat(worker("w").state(BUSY).slotsTotal(4).slotsInUse(1).build().slotsInUse())
                .isEqualTo(1);
    }

    @Test
    void toBuilderCopiesTheWorker() {
        assertThat(FULL.toBuilder().build()).isEqualTo(FULL).hasSameHashCodeAs(FULL);
        assertThat(loading("w").toBuilder().build()).isEqualTo(loading("w"));
    }

    @Test
    void builderDoesNotChangeTheWorkersItBuilt() {
        WorkerInfo.Builder builder = FULL.toBuilder();
        WorkerInfo first = builder.build();
        builder.id("another").device(0);

        assertThat(first).isEqualTo(FULL);
        assertThat(FULL.device()).isEqualTo(3);
    }

    @Test
    void slotsAreAvailableOnlyWhileIdleOrBusy() {
        assertThat(idle("w", 4).slotsAvailable()).isEqualTo(4);
        assertThat(FULL.slotsAvailable()).isEqualTo(6);
        assertThat(worker("w").slotsTotal(4).build().slotsAvailable()).isZero();
        assertThat(FULL.toBuilder().state(STOPPING).build().slotsAvailable()).isZero();
        assertThat(FULL.toBuilder()
                        .state(backingOff(FULL))
                        .slotsInUse(0)
                        .build()
                        .slotsAvailable())
                .isZero();
    }

    @Test
    void uptimeIsTheTimeSinceTheStartAndNeverNegative() {
        WorkerInfo worker = idle("w", 1);

        assertThat(worker.uptime(START.plusSeconds(90))).isEqualTo(Duration.ofSeconds(90));
        assertThat(worker.uptime(START)).isZero();
        assertThat(worker.uptime(START.minusNanos(1))).isZero();
        assertThat(worker.uptime(Instant.MIN)).isZero();
        assertThat(worker.uptime(Instant.MAX)).isPositive();
    }

    @Test
    void backingOffWorkerHasNoUptime() {
        WorkerInfo worker = idle("w", 1);

        assertThat(worker.toBuilder().state(backingOff(worker)).build().uptime(START.plusSeconds(90)))
                .isZero();
    }

    @Test
    void requireNameReturnsAValidNameAndNamesTheInvalidOne() {
        assertThat(Checks.requireName("gpu-1", "node")).isEqualTo("gpu-1");
        assertThatThrownBy(() -> Checks.requireName("a\tb", "node"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("node must not contain control characters, has U+0009 at index 1");
        assertThatThrownBy(() -> Checks.requireName("\ud83d\ude00\u202e", "node"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("node must not contain invisible characters, has U+202E at index 2");
        assertThatNullPointerException()
                .isThrownBy(() -> Checks.requireName(null, "node"))
                .withMessage("node");
    }

    /** {@link #FULL} with one component changed, by the canonical constructor. */
    private static WorkerInfo construct(String component, Object value) throws Throwable {
        RecordComponent[] components = WorkerInfo.class.getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = components[i].getName().equals(component)
                    ? value
                    : components[i].getAccessor().invoke(FULL);
        }
        Constructor<WorkerInfo> canonical = WorkerInfo.class.getDeclaredConstructor(
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
        return unwrapped(() -> canonical.newInstance(values));
    }

    /** {@link #FULL} with one component changed, by the builder. */
    private static WorkerInfo build(String component, Class<?> type, Object value) throws Throwable {
        return unwrapped(() -> {
            WorkerInfo.Builder builder = FULL.toBuilder();
            WorkerInfo.Builder.class.getMethod(component, type).invoke(builder, value);
            return builder.build();
        });
    }

    private interface Construction {
        WorkerInfo run() throws ReflectiveOperationException;
    }

    private static WorkerInfo unwrapped(Construction construction) throws Throwable {
        try {
            return construction.run();
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** Regression: each read of a busy worker checked all labels again, 5 µs for twenty of them. */
    @Test
    void copiesShareTheirLabels() {
        WorkerInfo worker =
                SomeWorkers.worker("w").labels(Map.of("tier", "fast")).build();

        assertThat(worker.toBuilder().pid(5).build().labels()).isSameAs(worker.labels());
        assertThat(worker.withSlotsInUse(0).labels()).isEqualTo(Map.of("tier", "fast"));
    }
}
