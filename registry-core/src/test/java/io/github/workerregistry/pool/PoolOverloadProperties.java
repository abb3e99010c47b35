package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** Steady load of more models than there is room for, in virtual time. */
@AddLifecycleHook(UnexpectedWarnings.class)
class PoolOverloadProperties {

    private static final int MAX_WAIT = 10;

    /**
     * A model gets a turn when its request is the oldest of all, and serves at least that one in it. So at most one
     * turn for each older request comes before a request.
     */
    @Property(tries = 10)
    void noRequestWaitsLongerThanTheTurnsOfThoseThatAreOlder(
            @ForAll @IntRange(min = 1, max = 2) int room,
            @ForAll @IntRange(min = 1, max = 2) int more,
            @ForAll @IntRange(min = 1, max = 5) int waiting,
            @ForAll @IntRange(min = 1, max = 9) int load,
            @ForAll @IntRange(min = 1, max = 6) int use,
            @ForAll @IntRange(min = 1, max = 3) int slots) {
        UnexpectedWarnings.allow("is not ready after");
        List<String> models =
                IntStream.range(0, room + more).mapToObj(i -> "m" + i).toList();
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, room).maxWait(Duration.ofSeconds(MAX_WAIT));
        for (String model : models) {
            WorkerSpec.Builder worker =
                    WorkerSpec.builder().command("serve").url("http://fake").slots(slots);
            config.model(ModelSpec.builder(model).worker(worker).build());
        }
        SteadyLoad steady = new SteadyLoad(new VirtualPool(config), models, waiting, load, use);
        steady.run(400);

        int turn = MAX_WAIT + load + use + 3; // and ticks
        int older = models.size() * waiting;
        assertThat(models).allSatisfy(model -> {
            assertThat(steady.longestWait(model))
                    .as(model)
                    .isLessThanOrEqualTo(Duration.ofSeconds(MAX_WAIT + (long) turn * (older + 1)));
            assertThat(steady.longestGap(model)).as(model).isLessThanOrEqualTo(gap(models.size(), room, turn));
        });
    }

    /** A model with requests is served again once each other model has had a turn. */
    private static Duration gap(int models, int room, int turn) {
        return Duration.ofSeconds(MAX_WAIT + (long) turn * 2 * models / room);
    }
}
