package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.scaled;
import static io.github.workerregistry.pool.VirtualPool.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a configuration is refused for: all faults at once, each with its model. */
@ExtendWith(UnexpectedWarnings.class)
class PoolConfigTest {

    private static PoolConfig.Builder config(ModelSpec... models) {
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, 10).device("cpu", 1, 20);
        for (ModelSpec model : models) {
            config.model(model);
        }
        return config;
    }

    private static void assertRefused(PoolConfig.Builder config, String... parts) {
        assertThatIllegalArgumentException()
                .isThrownBy(config::build)
                .satisfies(e -> assertThat(e).message().contains(parts));
    }

    private static void assertRefused(ModelSpec.Builder model, String... parts) {
        assertThatIllegalArgumentException()
                .isThrownBy(model::build)
                .satisfies(e -> assertThat(e).message().contains("model a").contains(parts));
    }

    @Test
    void defaultsAreThoseOfTheDesign() {
        ModelSpec spec = model("a").build();
        PoolConfig config = config(spec).build();

        assertThat(spec.units()).isOne();
        assertThat(spec.minWorkers()).isZero();
        assertThat(spec.maxWorkers()).isOne();
        assertThat(spec.minResidency()).isZero();
        assertThat(spec.scaleUpDelay()).isEqualTo(Duration.ofSeconds(1));
        assertThat(spec.spanning()).isOne();
        assertThat(spec.evictable()).isTrue();
        assertThat(spec.evictionDrainTimeout()).isEmpty();
        assertThat(config.maxWait()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.maxWorkers()).isEqualTo(Integer.MAX_VALUE);
        assertThat(config.admission()).isEqualTo(Admission.EVICT);
    }

    @Test
    void equalValuesMakeEqualConfigs() {
        assertThat(config(model("a").alias("b").build()).build())
                .isEqualTo(config(model("a").alias("b").build()).build())
                .hasSameHashCodeAs(config(model("a").alias("b").build()).build())
                .isNotEqualTo(config(model("a").alias("c").build()).build());
    }

    @Test
    void templateIsCopied() {
        WorkerSpec.Builder template = worker();
        ModelSpec.Builder model = ModelSpec.builder("a").worker(template);
        template.slots(7);

        assertThat(model.build().worker().slots()).isOne();
    }

    @Test
    void allFaultsOfAModelAreListed() {
        assertRefused(
                model("a")
                        .units(-1)
                        .minWorkers(3)
                        .maxWorkers(2)
                        .minResidency(Duration.ofSeconds(-1))
                        .spanning(0),
                "units must be >= 0, was -1",
                "minWorkers must be <= maxWorkers, was 3 > 2",
                "minResidency must be >= 0",
                "spanning must be >= 1, was 0",
                "{port}");
    }

    @Test
    void countsOutOfRangeAreRefused() {
        assertRefused(model("a").minWorkers(-1), "minWorkers must be >= 0, was -1");
        assertRefused(model("a").maxWorkers(0), "maxWorkers must be >= 1, was 0");
        assertRefused(model("a").scaleUpDelay(Duration.ofNanos(-1)), "scaleUpDelay must be >= 0");
        assertRefused(model("a").evictionDrainTimeout(Duration.ZERO), "evictionDrainTimeout must be > 0");
        Duration tooLong = Duration.ofDays(36_501);
        assertRefused(model("a").evictionDrainTimeout(tooLong), "evictionDrainTimeout must be > 0 and <= 36500 days");
        assertRefused(model("a").minResidency(tooLong), "minResidency must be >= 0 and <= 36500 days");
        assertRefused(model("a").scaleUpDelay(tooLong), "scaleUpDelay must be >= 0 and <= 36500 days");
        assertRefused(config().maxWait(tooLong), "maxWait must be >= 0 and <= 36500 days");
        assertRefused(model("a").devices(-1), "device must be >= 0, was -1");
        assertRefused(model("a").alias(" "), "alias must not be blank");
        assertRefused(model("a").backend(""), "backend must not be blank");
        assertRefused(config().maxWorkers(0), "maxWorkers must be >= 1, was 0");
        assertRefused(config().maxWait(Duration.ofSeconds(-1)), "maxWait must be >= 0");
        assertRefused(config().device("cpu", -1, 1), "index of a device must be >= 0, was -1");
        assertRefused(config().device("cpu", 2, -1), "device cpu 2: units must be >= 0, was -1");
        assertRefused(config().device("cpu", 0, 1), "device cpu 0 is there twice");
    }

    @Test
    void whatThePoolGivesMustNotBeSet() {
        assertRefused(
                ModelSpec.builder("a")
                        .worker(worker().id("w").modelRef("m").backend("cuda").device(1)),
                "[backend, device, id, modelRef]");
    }

    @Test
    void workerIsRequiredAndChecked() {
        assertThatNullPointerException()
                .isThrownBy(ModelSpec.builder("a")::build)
                .withMessage("worker");
        assertRefused(
                ModelSpec.builder("a").worker(WorkerSpec.builder().command("serve", "{prot}", "{port}")), "{prot}");
        assertRefused(ModelSpec.builder("a").worker(WorkerSpec.builder()), "worker: command");
    }

    @Test
    void portMayBeMissingOnlyBesideAUrlByHandAndForOneWorker() {
        assertRefused(ModelSpec.builder("a").worker(WorkerSpec.builder().command("serve")), "{port}");
        assertRefused(model("a").maxWorkers(2), "{port}");
        model("a").build();
        scaled("a", 2).build();
        ModelSpec.builder("a")
                .worker(WorkerSpec.builder().command("serve").environment("PORT", "{port}"))
                .maxWorkers(2)
                .build();
        ModelSpec.builder("a")
                .worker(WorkerSpec.builder().command("serve").url("http://[::1]:{port}"))
                .maxWorkers(2)
                .build();
    }

    @Test
    void namesAreUnique() {
        assertRefused(config(model("a").build(), model("a").build()), "model a is there twice");
        assertRefused(
                config(model("a").alias("x").build(), model("b").alias("x").build()),
                "model b: alias x is already a name of model a");
        assertRefused(config(model("a").build(), model("b").alias("a").build()), "model b: alias a");
        assertRefused(config(model("a").alias("a").build()), "model a: alias a");
    }

    @Test
    void unknownDeviceIsRefused() {
        assertRefused(
                config(model("a").backend("cuda").build(), model("b").devices(7).build()),
                "model a: unknown device",
                "cuda",
                "model b: unknown device cpu 7");
    }

    @Test
    void modelThatCanNeverFitIsRefusedWithBothNumbers() {
        assertRefused(config(model("a").units(21).build()), "model a can never fit: units 21 > 20");
        assertRefused(config(model("a").units(11).devices(0).build()), "units 11 > 10");
        assertRefused(config(model("a").units(11).spanning(2).build()), "units 11 > 10");
        assertRefused(config(model("a").spanning(3).build()), "spans 3 devices, but may have only 2");
        config(model("a").units(20).build(), model("b").units(10).spanning(2).build())
                .build();
    }

    @Test
    void minimumThatDoesNotFitTogetherIsRefused() {
        assertRefused(
                config(
                        model("a").units(20).minWorkers(1).build(),
                        scaled("b", 3).units(5).minWorkers(3).build()),
                "model b: its minWorkers 3 do not fit together",
                "there is room for 2");
        assertRefused(
                config(
                                model("a").minWorkers(1).build(),
                                model("b").minWorkers(1).build())
                        .maxWorkers(1),
                "minWorkers 1");
        config(
                        model("a").units(20).minWorkers(1).build(),
                        scaled("b", 2).units(5).minWorkers(2).build())
                .build();
    }

    @Test
    void withoutDevicesUnitsDoNotCount() {
        PoolConfig config = PoolConfig.builder()
                .model(model("a").units(Long.MAX_VALUE).minWorkers(1).build())
                .maxWorkers(1)
                .build();

        assertThat(config.devices()).isEmpty();
    }
}
