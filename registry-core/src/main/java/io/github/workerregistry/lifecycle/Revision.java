package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Instant;

/**
 * The next generation of a worker that is replaced in place. Used in the worker's serial executor.
 *
 * <p>Once the generation has begun, its start completes the replacement; until then, the end of the worker fails it.
 */
final class Revision {

    private final WorkerSeries series;
    private final Launch launch;
    private final Replacement replacement;
    private volatile boolean begun;

    Revision(WorkerSeries series, Launch launch, Replacement replacement) {
        this.series = series;
        this.launch = launch;
        this.replacement = replacement;
    }

    WorkerSeries series() {
        return series;
    }

    Launch launch() {
        return launch;
    }

    /** The properties of the next generation's record. */
    WorkerInfo recordAfter(WorkerInfo last, Instant now) {
        WorkerSpec spec = series.spec();
        return last.toBuilder()
                .url(launch.url())
                .backend(spec.backend())
                .device(spec.device())
                .slotsTotal(spec.slots())
                .labels(spec.labels())
                .state(new Loading(now))
                .build();
    }

    /** The generation is registered and is started next. */
    void beginsAs(SupervisedWorker next) {
        begun = true;
        next.ready.whenComplete((ready, failure) -> {
            if (failure != null) {
                replacement.fail(failure);
            } else {
                replacement.complete(ready);
            }
        });
    }

    /** The worker has no next generation, unless that has begun. */
    void cancel(Throwable why) {
        if (!begun) {
            replacement.fail(why);
        }
    }
}
