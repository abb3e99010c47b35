package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class IncarnationTest {

    @Test
    void missingOrMalformedWorkerIdIsRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> new Incarnation(null, 1, START))
                .withMessage("workerId");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Incarnation(" ", 1, START))
                .withMessage("workerId must not be blank");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Incarnation("w\nforged", 1, START))
                .withMessageStartingWith("workerId ")
                .withMessageContaining("U+000A");
    }

    @Test
    void negativeGenerationIsRefusedAndZeroIsAccepted() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Incarnation("w", -1, START))
                .withMessage("generation must be >= 0, was -1");
        assertThat(new Incarnation("w", 0, START).generation()).isZero();
    }

    @Test
    void missingStartIsRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> new Incarnation("w", 1, null))
                .withMessage("startedAt");
    }

    @Test
    void incarnationIsThatOfOneProcess() {
        WorkerInfo worker = idle("w", 2);
        Incarnation incarnation = worker.incarnation();

        assertThat(incarnation).isEqualTo(new Incarnation("w", 1, START));
        assertThat(worker.toBuilder()
                        .state(SomeWorkers.BUSY)
                        .slotsInUse(1)
                        .pid(4711)
                        .url("http://elsewhere")
                        .build()
                        .incarnation())
                .as("with any other state")
                .isEqualTo(incarnation);
        assertThat(incarnation)
                .isNotEqualTo(idle("v", 2).incarnation())
                .isNotEqualTo(worker.toBuilder().generation(2).build().incarnation())
                .isNotEqualTo(
                        worker.toBuilder().startedAt(START.plusNanos(1)).build().incarnation());
    }

    @Test
    void leaseAndExitHaveTheIncarnationOfTheirWorker() {
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerInfo worker = idle("w", 2);
        registry.register(worker);
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        Exit exit = SomeWorkers.crash(worker);

        assertThat(lease.incarnation()).isEqualTo(worker.incarnation());
        assertThat(exit.incarnation()).isEqualTo(worker.incarnation());
        assertThat(exit.workerId()).isEqualTo("w");
        assertThat(exit.generation()).isEqualTo(1);
        assertThat(exit.withCause(Exit.Cause.CRASH_LOOP).incarnation()).isEqualTo(worker.incarnation());
    }
}
