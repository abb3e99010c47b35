package io.github.workerregistry.lifecycle;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.Supervision;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;

/** Stops workers that had nothing to do for too long. */
final class IdleLoop implements Tick {

    /** Of the 50 ms of a tick: some hundred workers; the next check stops the rest. */
    private static final Duration LIMIT = Duration.ofMillis(30);

    private final Supervision supervision;
    private final SupervisedRecords records;
    private final Stopper stopper;
    private final Duration idleTimeout;
    private final PauseTracker pauses;

    IdleLoop(
            Supervision supervision,
            SupervisedRecords records,
            Stopper stopper,
            Duration idleTimeout,
            PauseTracker pauses) {
        this.supervision = supervision;
        this.records = records;
        this.stopper = stopper;
        this.idleTimeout = idleTimeout;
        this.pauses = pauses;
    }

    @Override
    public void tick(Instant now) {
        supervision.forgetHints(); // or each thread keeps a worker of its own busy
        TickBudget budget = new TickBudget(LIMIT);
        for (WorkerInfo worker : records.idle()) {
            boolean due = pauses.activeTime(worker.lastActivity(), now).compareTo(idleTimeout) >= 0;
            if (due && !budget.isSpent()) {
                stopper.endIfUnchanged(worker, StopReason.IDLE_TIMEOUT); // one compare-and-set decides against a lease
                budget.handled();
            }
        }
    }
}
