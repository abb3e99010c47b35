package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Fault.throwing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A process of which a method breaks its contract: the worker is still restarted and stopped. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyProcessTest {

    record FaultyMethod(String name, Fault fault) {
        @Override
        public String toString() {
            return name + " " + fault;
        }
    }

    static Stream<FaultyMethod> processes() {
        return Stream.of(
                        faults("exitStatus", "cannot tell whether its process lives", true),
                        faults("outputBytes", "its output cannot be read", false),
                        faults("outputTail", "its last output cannot be read", true),
                        faults("terminate", "terminate failed", false),
                        faults("release", "its files cannot be removed", false),
                        Stream.of(
                                new FaultyMethod("outputBytes", new Fault("decreases", () -> Long.MIN_VALUE)),
                                new FaultyMethod(
                                        "outputTail",
                                        new Fault("contains null", () -> Arrays.asList("a", null), "cannot be read")),
                                new FaultyMethod(
                                        "outputTail",
                                        new Fault("exceeds the limit", () -> Collections.nCopies(1_000_000, "a"))),
                                new FaultyMethod("onExit", new Fault("never completes", CompletableFuture::new)),
                                new FaultyMethod(
                                        "onExit",
                                        new Fault("fails", () -> CompletableFuture.failedFuture(new Error()))),
                                new FaultyMethod(
                                        "onExit",
                                        new Fault(
                                                "completes with null",
                                                () -> CompletableFuture.completedFuture(null),
                                                "a decision about it failed")),
                                new FaultyMethod(
                                        "onExit",
                                        new Fault(
                                                "throws on every call",
                                                Fault::brokenStage,
                                                "a decision about it failed"))))
                .flatMap(methods -> methods);
    }

    private static Stream<FaultyMethod> faults(String method, String warning, boolean givesObject) {
        return Stream.of(
                        givesObject ? new Fault("returns null", () -> null, warning) : null,
                        throwing("throws", () -> new IllegalStateException("broken"), warning),
                        throwing("throws an Error", () -> new AssertionError("broken"), warning),
                        throwing("throws what cannot be read", Fault.Unreadable::new, warning))
                .filter(fault -> fault != null)
                .map(fault -> new FaultyMethod(method, fault));
    }

    /** The worker crashes, is restarted and is stopped. */
    @ParameterizedTest
    @MethodSource("processes")
    void aWorkerWithAFaultyProcessIsRestartedAndStopped(FaultyMethod method) {
        UnexpectedWarnings.expect("broken (m, generation 1) has ended: CRASHED");
        method.fault.expectWarnings();
        PortPool ports = FreePorts.range(2);
        VirtualHive hive = new VirtualHive((self, builder) -> builder.ports(ports)
                .restartPolicy(RestartPolicy.builder().jitter(0).build())
                .processController(spec -> {
                    WorkerProcess whole = self.processes.start(spec);
                    return spec.workerId().equals("broken")
                            ? Fault.inject(whole, method.name, method.fault.instead())
                            : whole;
                }));
        WorkerSpec spec = WorkerSpec.builder()
                .id("broken")
                .modelRef("m")
                .command("serve", "{port}")
                .build();
        boolean blind = method.name.equals("exitStatus"); // then the notification reports the exit
        hive.supervisor.spawn(spec);
        hive.supervisor.reportReady("broken");
        String other = hive.spawnReady("other");

        if (blind || method.name.equals("onExit")) {
            hive.advanceSeconds(2);
        }
        if (hive.processes.exitOf("broken").isEmpty()) {
            hive.processes.exit("broken", 1);
        }
        hive.advanceSeconds(3);
        CompletableFuture<ExitStatus> stopped = hive.stop("broken");
        hive.advanceSeconds(60);

        assertThat(stopped).isDone();
        assertThat(hive.isRemoved("broken")).isTrue();
        assertThat(hive.processes.running()).containsExactly(other);
        assertThat(hive.supervisor.recentExits())
                .isNotEmpty()
                .allSatisfy(exit -> assertThat(exit.output()).hasSizeLessThanOrEqualTo(20));
        assertThat(List.of(ports.acquire(), ports.acquire())).doesNotHaveDuplicates();
    }

    /** Regression: a second call failed in the middle of a spawn, and process and record were left. */
    @Test
    void theIdentityOfAProcessIsReadOnce() {
        AtomicInteger asked = new AtomicInteger();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            WorkerProcess whole = self.processes.start(spec);
            return Fault.inject(whole, "identity", () -> {
                if (asked.getAndIncrement() > 0) {
                    throw new IllegalStateException("it has changed its mind");
                }
                return whole.identity();
            });
        }));

        String id = hive.spawnReady();
        hive.advanceSeconds(5);
        CompletableFuture<ExitStatus> stopped = hive.stop(id);

        assertThat(stopped).isCompleted();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void aProcessWhoseKillThrowsIsUnkillable() {
        UnexpectedWarnings.expect("kill failed", Warnings.UNKILLABLE);
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            WorkerProcess whole = self.processes.start(spec);
            return Fault.inject(whole, "kill", () -> {
                throw new AssertionError("broken");
            });
        }));
        String id = hive.spawnReady();

        CompletableFuture<ExitStatus> killed = hive.forceKill(id);
        hive.advanceSeconds(10);

        assertThatThrownBy(killed::join).hasCauseInstanceOf(UnkillableException.class);
        hive.processes.exit(id, 9);
        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void anExceptionWithoutAReadableMessageIsAFailedSpawn() {
        VirtualHive hive = new VirtualHive(builder -> builder.processController(spec -> {
            throw new Fault.Unreadable();
        }));

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("Unreadable");

        assertThat(hive.registry.list()).isEmpty();
    }
}
