package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Fault.throwing;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A clock that fails for a while: its last reading is kept, and the ticks continue. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyClockTest {

    static Stream<Fault> clocks() {
        return Stream.of(
                new Fault("returns null", () -> null),
                throwing("throws", () -> new IllegalStateException("broken")),
                throwing("throws an Error", () -> new AssertionError("broken")));
    }

    @ParameterizedTest
    @MethodSource("clocks")
    void aFailingClockKeepsItsLastReadingAndTicksContinue(Fault fault) {
        UnexpectedWarnings.expect("the hive's clock failed; its last reading stands");
        VirtualTime time = new VirtualTime();
        AtomicReference<Supplier<?>> clock = new AtomicReference<>(time::instant);
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock((InstantSource) () -> (Instant) clock.get().get())
                .build();
        FakeProcessController processes = new FakeProcessController();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .build();
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.reportReady(id);
        Instant before = registry.clock().instant();

        clock.set(fault.instead());
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
}
