package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Code of the host's that returns null, throws, never answers, answers twice, or calls back: it harms nobody but, at
 * the most, the worker that it is about, and the loops go on. Starts that fail are {@link BrokenStartTest}'s business.
 */
@ExtendWith(UnexpectedWarnings.class)
class BrokenSpiTest {

    /** What a piece of foreign code does in place of what it should. */
    record Fault(String what, Supplier<?> instead, List<String> warnings) {
        Fault(String what, Supplier<?> instead, String... warnings) {
            this(what, instead, List.of(warnings));
        }

        @Override
        public String toString() {
            return what;
        }
    }

    private static Fault throwing(String what, Supplier<Throwable> failure, String... warnings) {
        return new Fault(
                what,
                () -> {
                    throw BrokenSpiTest.<RuntimeException>sneaky(failure.get());
                },
                warnings);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> T sneaky(Throwable failure) throws T {
        throw (T) failure;
    }

    /** An exception whose own methods fail. */
    private static final class Unreadable extends RuntimeException {
        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }

    /** A future that nobody can cancel. */
    private static final class Uncancellable<T> extends CompletableFuture<T> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            throw new AssertionError("cannot be cancelled");
        }
    }

    private static <T> CompletableFuture<T> twice(T first, T second) {
        CompletableFuture<T> stage = new CompletableFuture<>();
        stage.complete(first);
        stage.obtrudeValue(second);
        return stage;
    }

    // --- a health probe

    static Stream<Fault> probes() {
        String noVerdict = "no verdict";
        return Stream.of(
                new Fault("returns null", () -> null, noVerdict),
                throwing("throws", () -> new IllegalStateException("broken"), noVerdict),
                throwing("throws an Error", () -> new AssertionError("broken"), noVerdict),
                throwing("throws what cannot be read", Unreadable::new, noVerdict),
                throwing("throws a checked exception", () -> new Exception("broken"), noVerdict),
                new Fault("gives null", () -> CompletableFuture.completedFuture(null), noVerdict),
                new Fault("fails", () -> CompletableFuture.failedFuture(new Error("broken")), noVerdict),
                new Fault("fails unreadably", () -> CompletableFuture.failedFuture(new Unreadable()), noVerdict),
                new Fault("is no stage", BrokenSpiTest::brokenStage, noVerdict),
                new Fault("answers twice", () -> twice(HealthStatus.unhealthy("?"), HealthStatus.healthy())));
    }

    @ParameterizedTest
    @MethodSource("probes")
    void aProbeThatIsBrokenIsNoEvidenceAndOthersAreProbed(Fault fault) {
        expect(fault.warnings);
        VirtualHive hive = hiveWithProbe(fault.instead);
        String broken = spawnReady(hive, "broken");
        String other = spawnReady(hive, "other");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.worker(broken).state()).isEqualTo(new Idle());
        assertThat(hive.worker(broken).failedHealthChecks()).isZero();
        assertThat(hive.worker(other).state()).isEqualTo(new Idle());
        assertThat(hive.probe.probes(other)).isGreaterThanOrEqualTo(9);
        assertThat(hive.supervisor.recentExits()).isEmpty();
    }

    static Stream<Fault> probesThatNeverAnswer() {
        return Stream.of(
                new Fault("never answers", CompletableFuture::new),
                new Fault("never answers and cannot be cancelled", Uncancellable::new));
    }

    @ParameterizedTest
    @MethodSource("probesThatNeverAnswer")
    void aProbeThatNeverAnswersIsAFailedOneAndOthersAreProbed(Fault fault) {
        UnexpectedWarnings.expect("broken is given up after 3 failed health checks");
        expect(fault.warnings);
        VirtualHive hive = hiveWithProbe(fault.instead);
        String broken = spawnReady(hive, "broken");
        String other = spawnReady(hive, "other");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.isGone(broken)).isTrue();
        assertThat(hive.worker(other).state()).isEqualTo(new Idle());
        assertThat(hive.probe.probes(other)).isGreaterThanOrEqualTo(9);
    }

    @Test
    void aProbeMayCallBack() {
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = hiveWithProbe(() -> {
            self.get().supervisor.forceKill("broken");
            self.get().registry.remove("other");
            return CompletableFuture.completedFuture(HealthStatus.healthy());
        });
        self.set(hive);
        spawnReady(hive, "other");
        spawnReady(hive, "broken");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }

    @SuppressWarnings("unchecked")
    private static VirtualHive hiveWithProbe(Supplier<?> instead) {
        AtomicReference<HealthProbe> script = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(
                builder -> builder.health((worker, timeout) -> worker.id().equals("broken")
                        ? (CompletionStage<HealthStatus>) instead.get()
                        : script.get().probe(worker, timeout)));
        script.set(hive.probe);
        return hive;
    }

    /** A worker under suspicion of nothing, in a hive that has a host's worker from the end of time, too. */
    @Test
    void aWorkerOfTheHostThatLoadsInTheFutureKeepsNobodyFromBeingProbed() {
        VirtualHive hive = new VirtualHive();
        for (Instant since : List.of(Instant.MAX, Instant.MIN)) {
            hive.registry.register(WorkerInfo.builder()
                    .id("host's " + since)
                    .url("http://fake")
                    .modelRef("m")
                    .startedAt(hive.time.instant())
                    .state(new Loading(since))
                    .build());
        }
        String other = spawnReady(hive, "other");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.probe.probes(other)).isGreaterThanOrEqualTo(9);
        assertThat(hive.state("host's " + Instant.MAX)).isEqualTo(new Idle());
    }

    // --- a process

    record Method(String name, Fault fault) {
        @Override
        public String toString() {
            return name + " " + fault;
        }
    }

    static Stream<Method> processes() {
        return Stream.of(
                        faults("exitStatus", "cannot tell whether its process lives", true),
                        faults("outputBytes", "its output cannot be looked at", false),
                        faults("outputTail", "its last output cannot be read", true),
                        faults("terminate", "terminate failed", false),
                        faults("release", "its files cannot be removed", false),
                        Stream.of(
                                new Method("outputBytes", new Fault("falls", () -> Long.MIN_VALUE)),
                                new Method(
                                        "outputTail",
                                        new Fault("has a hole", () -> Arrays.asList("a", null), "cannot be read")),
                                new Method(
                                        "outputTail",
                                        new Fault("gives more than asked", () -> Collections.nCopies(1_000_000, "a"))),
                                new Method("onExit", new Fault("never tells", CompletableFuture::new)),
                                new Method(
                                        "onExit",
                                        new Fault("fails", () -> CompletableFuture.failedFuture(new Error()))),
                                new Method(
                                        "onExit",
                                        new Fault(
                                                "gives null",
                                                () -> CompletableFuture.completedFuture(null),
                                                "a decision about a worker failed")),
                                new Method(
                                        "onExit",
                                        new Fault(
                                                "is no stage to hang on",
                                                BrokenSpiTest::brokenStage,
                                                "a decision about a worker failed"))))
                .flatMap(methods -> methods);
    }

    private static Stream<Method> faults(String method, String warning, boolean givesObject) {
        return Stream.of(
                        givesObject ? new Fault("returns null", () -> null, warning) : null,
                        throwing("throws", () -> new IllegalStateException("broken"), warning),
                        throwing("throws an Error", () -> new AssertionError("broken"), warning),
                        throwing("throws what cannot be read", Unreadable::new, warning))
                .filter(fault -> fault != null)
                .map(fault -> new Method(method, fault));
    }

    private static CompletionStage<?> brokenStage() {
        return (CompletionStage<?>) Proxy.newProxyInstance(
                CompletionStage.class.getClassLoader(),
                new Class<?>[] {CompletionStage.class},
                (proxy, called, args) -> {
                    throw new UnsupportedOperationException(called.getName());
                });
    }

    /** It crashes, is started again and stopped, whatever its process does. */
    @ParameterizedTest
    @MethodSource("processes")
    void aWorkerWhoseProcessIsBrokenLivesItsLifeToTheEnd(Method method) {
        UnexpectedWarnings.expect("broken is gone: CRASHED");
        expect(method.fault.warnings);
        AtomicReference<FakeProcessController> fake = new AtomicReference<>();
        PortRange ports = FreePorts.range(2);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports)
                .restart(RestartPolicy.builder().jitter(0).build())
                .processes(spec -> {
                    WorkerProcess whole = fake.get().start(spec);
                    return spec.workerId().equals("broken") ? broken(whole, method.name, method.fault.instead) : whole;
                }));
        fake.set(hive.processes);
        WorkerSpec spec = WorkerSpec.builder()
                .id("broken")
                .modelRef("m")
                .command("serve", "{port}")
                .build();
        boolean blind = method.name.equals("exitStatus"); // then the notice tells
        hive.supervisor.spawn(spec);
        hive.supervisor.ready("broken");
        String other = spawnReady(hive, "other");

        if (blind || method.name.equals("onExit")) {
            hive.advanceSeconds(2);
        }
        if (hive.processes.exitOf("broken").isEmpty()) {
            hive.processes.exit("broken", 1);
        }
        hive.advanceSeconds(3);
        CompletableFuture<ExitStatus> stopped = hive.supervisor.stop("broken").toCompletableFuture();
        hive.advanceSeconds(60);

        assertThat(stopped).isDone();
        assertThat(hive.isGone("broken")).isTrue();
        assertThat(hive.processes.running()).containsExactly(other);
        assertThat(hive.supervisor.recentExits())
                .isNotEmpty()
                .allSatisfy(exit -> assertThat(exit.output()).hasSizeLessThanOrEqualTo(20));
        assertThat(List.of(ports.take(), ports.take())).doesNotHaveDuplicates();
    }

    /** To ask it twice was to fail in the middle of a spawn: the process ran on, and the record stayed for ever. */
    @Test
    void aProcessIsAskedOnceWhoItIs() {
        AtomicInteger asked = new AtomicInteger();
        AtomicReference<FakeProcessController> fake = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            WorkerProcess whole = fake.get().start(spec);
            return broken(whole, "identity", () -> {
                if (asked.getAndIncrement() > 0) {
                    throw new IllegalStateException("it has changed its mind");
                }
                return whole.identity();
            });
        }));
        fake.set(hive.processes);

        String id = hive.spawnReady();
        hive.advanceSeconds(5);
        CompletableFuture<ExitStatus> stopped = hive.supervisor.stop(id).toCompletableFuture();

        assertThat(stopped).isCompleted();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void aProcessThatCannotBeKilledIsUnkillableAndKeepsNobodyElse() {
        UnexpectedWarnings.expect("kill failed", "still there after SIGKILL");
        AtomicReference<FakeProcessController> fake = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            WorkerProcess whole = fake.get().start(spec);
            return broken(whole, "kill", () -> {
                throw new AssertionError("broken");
            });
        }));
        fake.set(hive.processes);
        String id = hive.spawnReady();

        CompletableFuture<ExitStatus> killed = hive.supervisor.forceKill(id).toCompletableFuture();
        hive.advanceSeconds(10);

        assertThatThrownBy(killed::join).hasCauseInstanceOf(UnkillableException.class);
        hive.processes.exit(id, 9);
        assertThat(hive.isGone(id)).isTrue();
    }

    static WorkerProcess broken(WorkerProcess whole, String method, Supplier<?> instead) {
        return (WorkerProcess) Proxy.newProxyInstance(
                WorkerProcess.class.getClassLoader(),
                new Class<?>[] {WorkerProcess.class},
                (proxy, called, args) -> called.getName().equals(method) ? instead.get() : called.invoke(whole, args));
    }

    // --- a process controller

    @Test
    void anExceptionThatCannotBeReadIsAFailedSpawnToo() {
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            throw new Unreadable();
        }));

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("Unreadable");

        assertThat(hive.registry.list()).isEmpty();
    }

    // --- the executor for what may block

    static Stream<Executors> executors() {
        return Stream.of(
                new Executors("runs every task twice", (task, held) -> {
                    task.run();
                    task.run();
                }),
                new Executors(
                        "runs a task and then throws",
                        (task, held) -> {
                            task.run();
                            throw new IllegalStateException("broken");
                        },
                        "the executor that started it failed"),
                new Executors(
                        "runs a task and then throws an Error",
                        (task, held) -> {
                            task.run();
                            throw new AssertionError("broken");
                        },
                        "the executor that started it failed"),
                new Executors(
                        "rejects a task and runs it later",
                        (task, held) -> {
                            held.add(task);
                            throw new RejectedExecutionException("queue full");
                        },
                        "is gone: START_FAILED"));
    }

    interface Run {
        void execute(Runnable task, List<Runnable> held);
    }

    record Executors(String what, Run run, List<String> warnings) {
        Executors(String what, Run run, String... warnings) {
            this(what, run, List.of(warnings));
        }

        @Override
        public String toString() {
            return what;
        }
    }

    /** The process of a task that ran and then seemed to have failed went on without a record, for ever. */
    @ParameterizedTest
    @MethodSource("executors")
    void anExecutorThatRunsATaskInItsOwnWayStartsOneProcessAndReleasesOnce(Executors executor) {
        UnexpectedWarnings.expect("is gone: CRASHED");
        expect(executor.warnings);
        List<Runnable> held = new ArrayList<>();
        List<String> released = new ArrayList<>();
        AtomicReference<FakeProcessController> fake = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.restart(
                        RestartPolicy.builder().jitter(0).build())
                .blocking(task -> executor.run.execute(task, held))
                .processes(spec -> {
                    WorkerProcess whole = fake.get().start(spec);
                    String which = "process " + fake.get().starts();
                    return broken(whole, "release", () -> {
                        released.add(which);
                        return null;
                    });
                }));
        fake.set(hive.processes);
        String id = hive.spawnReady();

        hive.processes.exit(id, 1);
        hive.advanceSeconds(1);
        assertThat(released).as("also if the task never runs").containsExactly("process 1");
        List.copyOf(held).forEach(Runnable::run);
        hive.advanceSeconds(1);

        boolean refuses = !held.isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(refuses ? 1 : 2);
        assertThat(hive.processes.running()).hasSize(refuses ? 0 : 1);
        assertThat(released).containsExactly("process 1");
        hive.supervisor.stop(id);
        hive.advanceSeconds(60);
        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.processes.running()).isEmpty();
    }

    // --- a stop request

    static Stream<Fault> stopRequests() {
        return Stream.of(
                new Fault("returns null", () -> null),
                throwing("throws", () -> new IllegalStateException("broken"), "stop request of worker"),
                throwing("throws an Error", () -> new AssertionError("broken"), "stop request of worker"),
                throwing("throws what cannot be read", Unreadable::new, "stop request of worker"),
                new Fault("never answers", CompletableFuture::new),
                new Fault("gives null", () -> CompletableFuture.completedFuture(null)),
                new Fault("fails", () -> CompletableFuture.failedFuture(new Error("broken"))),
                new Fault("answers twice", () -> twice(true, false)),
                new Fault("is no stage to hang on", BrokenSpiTest::brokenStage, "stop request of worker"));
    }

    @ParameterizedTest
    @MethodSource("stopRequests")
    @SuppressWarnings("unchecked")
    void aWorkerIsSignalledThoughItsStopRequestIsBroken(Fault fault) {
        expect(fault.warnings);
        VirtualHive hive = new VirtualHive(
                builder -> builder.stopRequest(worker -> (CompletionStage<Boolean>) fault.instead.get()));
        String id = hive.spawnReady();

        CompletableFuture<ExitStatus> stopped = hive.supervisor.stop(id).toCompletableFuture();
        hive.advanceSeconds(6); // half of the grace

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        assertThat(hive.registry.list()).isEmpty();
    }

    // --- a listener and its executor

    static Stream<Executors> listenersExecutors() {
        return Stream.of(
                new Executors("rejects", (task, held) -> {
                    throw new RejectedExecutionException("shut down");
                }),
                new Executors(
                        "throws",
                        (task, held) -> {
                            throw new IllegalStateException("broken");
                        },
                        "the executor of"),
                new Executors(
                        "throws an Error",
                        (task, held) -> {
                            throw new AssertionError("broken");
                        },
                        "the executor of"),
                new Executors("forgets", (task, held) -> {}),
                new Executors("runs every task twice", (task, held) -> {
                    task.run();
                    task.run();
                }),
                new Executors(
                        "runs a task and then throws",
                        (task, held) -> {
                            task.run();
                            throw new IllegalStateException("broken");
                        },
                        "the executor of"));
    }

    @ParameterizedTest
    @MethodSource("listenersExecutors")
    void anExecutorThatIsBrokenHarmsItsOwnListenerOnly(Executors executor) {
        expect(executor.warnings);
        VirtualHive hive = new VirtualHive();
        RecordingListener heard = new RecordingListener();
        hive.registry.subscribe(heard, task -> executor.run.execute(task, List.of()));

        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        List<String> all = List.of("Registered", "BecameReady", "Stopping", "Removed");
        assertThat(hive.heard.historyOf(id)).isEqualTo(all);
        List<String> told = heard.historyOf(id);
        assertThat(told).isEqualTo(all.subList(0, told.size())); // nothing twice, and in order
    }

    /** The drain that was refused, and the one after it, told the listener of two events at a time. */
    @Test
    void anExecutorThatRefusesATaskAndRunsItLaterTellsOfOneEventAtATime() {
        UnexpectedWarnings.expect("the executor of");
        VirtualHive hive = new VirtualHive();
        List<Runnable> held = new ArrayList<>();
        AtomicInteger atATime = new AtomicInteger();
        List<Integer> heard = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    heard.add(atATime.incrementAndGet());
                    held.forEach(Runnable::run);
                    atATime.decrementAndGet();
                },
                task -> {
                    if (held.isEmpty()) {
                        held.add(task);
                        throw new IllegalStateException("broken");
                    }
                    task.run();
                });

        hive.spawnReady();

        assertThat(heard).containsExactly(1, 1);
    }

    @Test
    void aListenerThatFailsAndCallsBackHearsAllTheSame() {
        UnexpectedWarnings.expect(
                "failed on Registered", "failed on BecameReady", "failed on Stopping", "failed on Removed");
        VirtualHive hive = new VirtualHive();
        List<String> heard = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    heard.add(event.getClass().getSimpleName());
                    hive.registry.list();
                    hive.registry.heartbeat("nobody");
                    hive.supervisor.stop("nobody");
                    throw BrokenSpiTest.<RuntimeException>sneaky(
                            heard.size() % 2 == 0 ? new Unreadable() : new StackOverflowError("broken"));
                },
                Runnable::run);

        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        assertThat(heard).containsExactly("Registered", "BecameReady", "Stopping", "Removed");
        assertThat(hive.heard.historyOf(id)).isEqualTo(heard);
    }

    // --- a clock

    static Stream<Fault> clocks() {
        return Stream.of(
                new Fault("returns null", () -> null),
                throwing("throws", () -> new IllegalStateException("broken")),
                throwing("throws an Error", () -> new AssertionError("broken")));
    }

    @ParameterizedTest
    @MethodSource("clocks")
    void aClockThatFailsForAWhileStandsStillAndTheLoopsGoOn(Fault fault) {
        UnexpectedWarnings.expect("the hive's clock failed; its last reading stands");
        VirtualTime time = new VirtualTime();
        AtomicReference<Supplier<?>> clock = new AtomicReference<>(time::instant);
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock((InstantSource) () -> (Instant) clock.get().get())
                .build();
        FakeProcessController processes = new FakeProcessController();
        WorkerSupervisor supervisor =
                WorkerSupervisor.builder(registry, time).processes(processes).build();
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        Instant before = registry.clock().instant();

        clock.set(fault.instead);
        time.advance(Duration.ofMinutes(10));
        assertThat(registry.clock().instant()).isEqualTo(before);
        assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly(id);
        String another = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.forceKill(another);
        assertThat(registry.get(another)).isEmpty();
        clock.set(time::instant);

        time.advance(Duration.ofMinutes(7));
        assertThat(registry.list()).isEmpty(); // the idle timeout
    }

    // --- after the end

    @Test
    void aSupervisorThatWasClosedStartsNothingAndKnowsNobody() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();

        hive.supervisor.close();
        hive.supervisor.close();

        assertThat(hive.processes.running()).isEmpty();
        List<WorkerInfo> workers = hive.registry.list();
        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(IllegalStateException.class);
        assertThat(hive.supervisor.ready(id)).isFalse();
        assertThat(hive.supervisor.progress(id)).isFalse();
        Stream.of(
                        hive.supervisor.stop(id),
                        hive.supervisor.forceKill(id),
                        hive.supervisor.restart(id),
                        hive.supervisor.whenReady(id))
                .forEach(stage -> assertThatThrownBy(stage.toCompletableFuture()::join)
                        .hasCauseInstanceOf(NoSuchWorkerException.class)
                        .hasMessageContaining(id));
        assertThat(hive.supervisor.shutdown(Duration.ofSeconds(1)).toCompletableFuture())
                .isCompleted();
        assertThat(hive.supervisor.recentExits()).hasSize(1);
        assertThat(hive.registry.list()).isEqualTo(workers);
        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.time.runDueTasks(); // the removal of files
        assertThat(hive.time.pendingTasks()).isZero();
    }

    /** Its hook stayed with the JVM, and kept all of it. */
    @Test
    void aSupervisorThatItsSchedulerRefusesLeavesNothingBehind() {
        WeakReference<WorkerRegistry> left = refused();

        await().atMost(Duration.ofSeconds(20)).until(() -> {
            System.gc();
            return left.get() == null;
        });
    }

    private static WeakReference<WorkerRegistry> refused() {
        VirtualTime time = new VirtualTime();
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
        ProcessController processes = new FakeProcessController();
        time.shutdown();
        WorkerSupervisor.Builder builder =
                WorkerSupervisor.builder(registry, time).processes(processes).shutdownHook(Duration.ofSeconds(1));
        assertThatThrownBy(builder::build).isInstanceOf(RejectedExecutionException.class);
        return new WeakReference<>(registry);
    }

    private static void expect(List<String> warnings) {
        UnexpectedWarnings.expect(warnings.toArray(String[]::new));
    }

    private static String spawnReady(VirtualHive hive, String id) {
        hive.supervisor.spawn(WorkerSpec.builder()
                .id(id)
                .modelRef("m")
                .command("serve")
                .url("http://fake")
                .build());
        hive.supervisor.ready(id);
        return id;
    }
}
