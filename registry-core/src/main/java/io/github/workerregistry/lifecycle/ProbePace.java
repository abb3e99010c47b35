package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;

/** When one generation of one worker, loading or ready, is probed. Stepped by {@link ProbeLoop}. */
sealed interface ProbePace permits HealthPace, ReadinessPace {

    /** Whether a probe is due. Asked at every tick at which none is open. */
    boolean isDue(WorkerInfo worker, Instant now);

    /** A probe opens. */
    void opened(WorkerInfo worker, Instant now);

    /** The open probe has ended, with an answer or without one. Called on any thread. */
    void closed(Instant now);
}
