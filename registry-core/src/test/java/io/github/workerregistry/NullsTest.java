package io.github.workerregistry;

import static java.util.Map.entry;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.health.TcpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.OutputListener;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.SupervisorAccess;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.Admission;
import io.github.workerregistry.pool.EvictionPolicy;
import io.github.workerregistry.pool.EvictionReason;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.ModelStatus;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.PoolEvent;
import io.github.workerregistry.pool.PoolListener;
import io.github.workerregistry.pool.PoolStats;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import io.github.workerregistry.testing.contract.ContractCheck;
import io.github.workerregistry.testing.contract.HealthProbeContract;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Passes null for every parameter of every public constructor and method, one at a time: each time there is a
 * {@link NullPointerException} that begins with the parameter's name, and nothing has changed.
 *
 * <p>A new method is tested without further code. A new type needs a sample in {@link World}, or this test fails.
 */
@ExtendWith(UnexpectedWarnings.class)
class NullsTest {

    /** Shared: each client has a thread until it is garbage collected. */
    private static HttpClient client;

    private static final Class<?> SUPERVISION =
            WorkerRegistry.create().supervision().getClass();

    private static final SlotRequest NOBODY = SlotRequest.forModel("nobody");

    private static ParameterNames names;

    @BeforeAll
    static void readNames(@TempDir Path scratch) throws Exception {
        names = ParameterNames.read(scratch);
        client = HttpClient.newHttpClient();
    }

    @AfterAll
    static void dropClient() {
        client = null;
    }

    /** One parameter that is null. */
    record Null(Executable executable, int index) {
        @Override
        public String toString() {
            return executable.getDeclaringClass().getSimpleName() + "." + executable.getName() + ", parameter "
                    + (index + 1) + " of " + executable.getParameterCount();
        }
    }

    static Stream<Null> everyParameter() throws Exception {
        return PublicTypes.all().stream()
                .flatMap(type -> Stream.concat(Stream.of(type.getConstructors()), methods(type)))
                .filter(NullsTest::isTested)
                .flatMap(executable -> IntStream.range(0, executable.getParameterCount())
                        .filter(index -> mustNotBeNull(executable, index))
                        .mapToObj(index -> new Null(executable, index)));
    }

    /** For an interface that a private class implements, the methods of that class. */
    private static Stream<? extends Executable> methods(Class<?> type) {
        boolean isHidden = type == Supervision.class;
        return Stream.of((isHidden ? SUPERVISION : type).getDeclaredMethods());
    }

    /**
     * Without bridges, which the compiler adds, and without abstract methods, which are tested where they are
     * implemented.
     */
    private static boolean isTested(Executable executable) {
        return Modifier.isPublic(executable.getModifiers())
                && !Modifier.isAbstract(executable.getModifiers())
                && !executable.isSynthetic()
                && !executable.getDeclaringClass().isEnum()
                && !executable.getName().equals("equals");
    }

    private static boolean mustNotBeNull(Executable executable, int index) {
        AnnotatedType type = executable.getAnnotatedParameterTypes()[index];
        return !executable.getParameterTypes()[index].isPrimitive() && !type.isAnnotationPresent(Nullable.class);
    }

    @ParameterizedTest
    @MethodSource("everyParameter")
    void nullIsRefusedByNameAndChangesNothing(Null parameter) {
        World world = new World();
        Object[] arguments = Stream.of(parameter.executable.getParameterTypes())
                .map(world::sample)
                .toArray();
        arguments[parameter.index] = null;
        Object receiver = world.receiverOf(parameter.executable);
        Object before = world.state();

        Throwable thrown = catchThrowable(() -> invoke(parameter.executable, receiver, arguments));

        String name = nameOf(parameter);
        assertThat(thrown).isInstanceOf(NullPointerException.class);
        assertThat(thrown.getMessage() + " ").startsWith(name + " ");
        assertThat(world.state()).isEqualTo(before);
    }

    /** {@code requireName} reports the name that its caller passes. */
    private static String nameOf(Null parameter) {
        String name = names.of(parameter.executable).get(parameter.index);
        boolean isPassed = parameter.executable.getName().equals("requireName") && name.equals("value");
        return isPassed ? "w" : name;
    }

    /** With a wrong sample, the call could be refused for another reason than the null. */
    @Test
    void samplesAreAcceptedWithoutANull() throws Exception {
        UnexpectedWarnings.expect("worker w"); // the fake process exits as one of the calls demands
        List<Executable> all = everyParameter().map(Null::executable).distinct().toList();
        assertThat(all)
                .as("methods behind the interface")
                .filteredOn(executable -> executable.getDeclaringClass() == SUPERVISION)
                .hasSizeGreaterThan(10);
        assertThat(all).hasSizeGreaterThan(150).allSatisfy(executable -> {
            World world = new World();
            Object[] arguments =
                    Stream.of(executable.getParameterTypes()).map(world::sample).toArray();
            Throwable thrown = catchThrowable(() -> invoke(executable, world.receiverOf(executable), arguments));
            assertThat(thrown instanceof NullPointerException).isFalse();
        });
    }

    private static Object invoke(Executable executable, Object receiver, Object[] arguments) throws Throwable {
        try {
            if (executable.getDeclaringClass() == SUPERVISION) {
                executable.setAccessible(true); // its class is private
            }
            return executable instanceof Method method
                    ? method.invoke(receiver, arguments)
                    : ((Constructor<?>) executable).newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** A small hive, one valid value of each type, and a snapshot of everything that could change. */
    private static final class World {
        private final VirtualTime time = new VirtualTime();
        private final WorkerRegistry registry =
                WorkerRegistry.builder().clock(time).build();
        private final FakeProcessController processes = new FakeProcessController();
        private final ScriptedHealthProbe probe = new ScriptedHealthProbe();
        private final RecordingListener heard = new RecordingListener();
        private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .build();
        private final Map<Class<?>, Object> samples = new HashMap<>();

        World() {
            WorkerSpec spec = WorkerSpec.builder()
                    .id("w")
                    .modelRef("m")
                    .command("serve")
                    .url("http://127.0.0.1:1")
                    .build();
            registry.subscribe(heard, Runnable::run);
            supervisor.spawn(spec);
            supervisor.reportReady("w");
            WorkerInfo worker = registry.get("w").orElseThrow();
            Exit exit = SomeWorkers.crash(worker);
            ProcessSpec another = new ProcessSpec("v", List.of("serve"), Map.of(), Optional.empty());
            ModelSpec model = ModelSpec.builder("w")
                    .worker(WorkerSpec.builder().command("serve").url("http://127.0.0.1:1"))
                    .build();
            PoolConfig config = PoolConfig.builder().model(model).build();
            samples.putAll(Map.ofEntries(
                    entry(int[].class, new int[] {0}),
                    entry(Admission.class, Admission.EVICT),
                    entry(EvictionPolicy.class, EvictionPolicy.leastRecentlyUsed()),
                    entry(
                            EvictionPolicy.Candidate.class,
                            new EvictionPolicy.Candidate("w", "w", Duration.ZERO, Duration.ZERO, 1)),
                    entry(EvictionReason.class, EvictionReason.IDLE),
                    entry(ModelSpec.class, model),
                    entry(ModelSpec.Builder.class, ModelSpec.builder("w")),
                    entry(ModelStatus.State.class, ModelStatus.State.READY),
                    entry(PoolConfig.class, config),
                    entry(PoolConfig.Builder.class, PoolConfig.builder()),
                    entry(PoolEvent.class, new PoolEvent.LoadStarted("w", "w")),
                    entry(PoolListener.class, (PoolListener) any -> {}),
                    entry(PoolStats.class, new PoolStats(Map.of())),
                    entry(CompletionStage.class, new CompletableFuture<>()),
                    entry(
                            WorkerPool.class,
                            WorkerPool.builder(registry, supervisor)
                                    .config(config)
                                    .build()),
                    entry(WorkerPool.Builder.class, WorkerPool.builder(registry, supervisor))));
            HealthProbeContract contract = new HealthProbeContract() {
                @Override
                protected HealthProbe probe() {
                    return probe;
                }

                @Override
                protected WorkerInfo healthy(String id) {
                    return worker;
                }
            };
            samples.putAll(Map.ofEntries(
                    entry(int.class, 1),
                    entry(long.class, 1L),
                    entry(double.class, 0.5),
                    entry(boolean.class, true),
                    entry(String.class, "w"),
                    entry(String[].class, new String[] {"serve"}),
                    entry(List.class, List.of("serve")),
                    entry(Map.class, Map.of()),
                    entry(Set.class, Set.of()),
                    entry(Optional.class, Optional.empty()),
                    entry(OptionalInt.class, OptionalInt.empty()),
                    entry(OptionalLong.class, OptionalLong.empty()),
                    entry(Predicate.class, (Predicate<WorkerInfo>) any -> true),
                    entry(Consumer.class, (Consumer<String>) any -> {}),
                    entry(Function.class, (Function<SlotLease, CompletionStage<Integer>>)
                            any -> CompletableFuture.completedStage(1)),
                    entry(Supplier.class, (Supplier<Integer>) () -> 1),
                    entry(BooleanSupplier.class, (BooleanSupplier) () -> true),
                    entry(Runnable.class, (Runnable) () -> {}),
                    entry(Callable.class, (Callable<Integer>) () -> 1),
                    entry(Executor.class, (Executor) Runnable::run),
                    entry(ScheduledExecutorService.class, time),
                    entry(TimeUnit.class, TimeUnit.DAYS),
                    entry(Duration.class, Duration.ofSeconds(1)),
                    entry(Instant.class, time.instant()),
                    entry(InstantSource.class, time),
                    entry(Path.class, Path.of(".")),
                    entry(Throwable.class, new Throwable("w")),
                    entry(HttpClient.class, client),
                    entry(ProcessHandle.class, ProcessHandle.current()),
                    entry(WorkerRegistry.class, registry),
                    entry(WorkerRegistry.Builder.class, WorkerRegistry.builder()),
                    entry(SUPERVISION, registry.supervision()),
                    entry(Incarnation.class, worker.incarnation()),
                    entry(SlotRequest.class, SlotRequest.forModel("w")),
                    entry(SlotLease.class, leaseOfAnotherRegistry()),
                    entry(LeaseChecker.class, (LeaseChecker) World::check),
                    entry(InetSocketAddress.class, new InetSocketAddress(InetAddress.getLoopbackAddress(), 1)),
                    entry(SlotSelection.class, SlotSelection.PACK),
                    entry(WorkerInfo.class, worker),
                    entry(WorkerInfo.Builder.class, worker.toBuilder()),
                    entry(WorkerListener.class, heard),
                    entry(WorkerEvent.class, new WorkerEvent.BecameReady(worker)),
                    entry(WorkerState.class, new WorkerState.Busy()),
                    entry(WorkerState.Loading.class, new WorkerState.Loading(time.instant())),
                    entry(WorkerState.Idle.class, new WorkerState.Idle()),
                    entry(WorkerState.Busy.class, new WorkerState.Busy()),
                    entry(WorkerState.BackingOff.class, SomeWorkers.backingOff(worker)),
                    entry(WorkerState.Stopping.class, new WorkerState.Stopping(StopReason.REQUESTED)),
                    entry(Exit.class, exit),
                    entry(Exit.Cause.class, exit.cause()),
                    entry(ExitStatus.class, exit.status()),
                    entry(RegistryStats.class, registry.stats()),
                    entry(RegistryStats.Builder.class, RegistryStats.builder()),
                    entry(StopReason.class, StopReason.REQUESTED),
                    entry(HealthProbe.class, probe),
                    entry(HealthStatus.class, HealthStatus.healthy()),
                    entry(HttpHealthProbe.class, HttpHealthProbe.at("/", client)),
                    entry(TcpHealthProbe.class, TcpHealthProbe.create()),
                    entry(ProcessController.class, processes),
                    entry(ProcessIdentity.class, ProcessIdentity.of(ProcessHandle.current())),
                    entry(ProcessSpec.class, another),
                    entry(InheritedEnvironment.class, InheritedEnvironment.all()),
                    entry(WorkerProcess.class, new FakeProcessController().start(another)),
                    entry(ProcessUsage.class, new ProcessUsage(1, Duration.ZERO, 1, 1)),
                    entry(ByteBuffer.class, ByteBuffer.allocate(1)),
                    entry(OrphanReport.class, OrphanReport.unsupported()),
                    entry(LocalProcessController.class, LocalProcessController.create()),
                    entry(LocalProcessController.Builder.class, LocalProcessController.builder()),
                    entry(LifecycleConfig.class, LifecycleConfig.defaults()),
                    entry(LifecycleConfig.Builder.class, LifecycleConfig.builder()),
                    entry(OutputListener.class, (OutputListener) any -> {}),
                    entry(PortPool.class, PortPool.of(1, 1)),
                    entry(RestartPolicy.class, RestartPolicy.never()),
                    entry(RestartPolicy.Builder.class, RestartPolicy.builder()),
                    entry(RestartPolicy.Mode.class, RestartPolicy.Mode.NEVER),
                    entry(StopRequest.class, (StopRequest) any -> null),
                    entry(WorkerSpec.class, spec),
                    entry(WorkerSpec.Builder.class, WorkerSpec.builder()),
                    entry(WorkerSupervisor.class, supervisor),
                    entry(SupervisorAccess.class, supervisor.access()),
                    entry(PendingSlot.class, registry.acquireAsync(NOBODY, Duration.ZERO, Runnable::run)),
                    entry(WorkerSupervisor.Builder.class, WorkerSupervisor.builder(registry, time)),
                    entry(FakeProcessController.class, processes),
                    entry(ScriptedHealthProbe.class, probe),
                    entry(HealthProbeContract.class, contract),
                    entry(ContractCheck.class, contract.checks().get(0)),
                    entry(RecordingListener.class, heard),
                    entry(VirtualTime.class, time)));
        }

        private static Optional<Duration> check(FailedLease lease) {
            requireNonNull(lease, "lease");
            return Optional.empty();
        }

        private static SlotLease leaseOfAnotherRegistry() {
            WorkerRegistry another = WorkerRegistry.create();
            another.register(SomeWorkers.idle("v", 1));
            return another.tryAcquireFrom("v").orElseThrow();
        }

        Object sample(Class<?> type) {
            Object sample = samples.get(type);
            assertThat(sample).as("a sample of the new type %s", type).isNotNull();
            return sample;
        }

        Object receiverOf(Executable executable) {
            boolean needed = executable instanceof Method && !Modifier.isStatic(executable.getModifiers());
            return needed ? sample(executable.getDeclaringClass()) : null;
        }

        List<Object> state() {
            return List.of(
                    registry.list(),
                    registry.stats(),
                    supervisor.recentExits(),
                    heard.events(),
                    processes.running(),
                    processes.starts(),
                    probe.probes("w"),
                    answerOf(probe),
                    time.instant(),
                    time.pendingTasks());
        }

        /** The answer for an unknown worker. The call is counted. */
        private static HealthStatus answerOf(ScriptedHealthProbe probe) {
            return probe.probe(SomeWorkers.idle("unknown", 1), Duration.ofSeconds(1))
                    .toCompletableFuture()
                    .join();
        }
    }
}
