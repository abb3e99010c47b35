package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the steps of every {@link StopSequence} that has begun where they fall due: for the caller who stops, at the
 * answer to a request, and on the tick.
 */
final class StopLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(StopLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Exits exits;
    private final @Nullable StopRequest request;

    StopLoop(WorkerRegistry registry, SupervisedWorkers workers, Exits exits, @Nullable StopRequest request) {
        this.registry = registry;
        this.workers = workers;
        this.exits = exits;
        this.request = request;
    }

    @Override
    public void tick(Instant now) {
        for (SupervisedWorker worker : workers.all()) {
            if (worker.stop.phase() != Phase.RUNNING) {
                worker.decide(() -> advance(worker));
            }
        }
    }

    /** Takes every step of the worker's stop that is due. In the worker's turn. */
    void advance(SupervisedWorker worker) {
        if (worker.hasExited()) {
            return;
        }
        WorkerInfo info = worker.process() == null
                ? null // it is being started: nothing to ask or to wait for
                : registry.get(worker.id).filter(worker::owns).orElse(null);
        int openLeases = info == null ? 0 : info.slotsInUse();
        boolean canAsk = request != null && info != null;
        boolean survives = worker.stop.isKilling() && survivesKill(worker);
        Phase entered;
        do {
            entered = worker.stop.next(registry.clock().instant(), openLeases, canAsk, survives);
            if (entered != null) {
                log.debug("worker {}: stop enters {}", worker.id, entered);
                enter(entered, worker, info);
            }
        } while (entered != null);
    }

    private static boolean survivesKill(SupervisedWorker worker) {
        WorkerProcess process = worker.process();
        try {
            return process == null || process.survivesKill();
        } catch (Throwable t) { // foreign code; then it is believed to be as it seems
            worker.complain(log, "worker {}: cannot tell whether its process survived SIGKILL", t);
            return true;
        }
    }

    /** Sends what was due before there was a process: it was stopped while it was being started. */
    void catchUp(SupervisedWorker worker) {
        switch (worker.stop.phase()) {
            case RUNNING, DRAINING -> {}
            case ASKED, TERMINATED -> signal(worker, "terminate", WorkerProcess::terminate);
            case KILLED, UNKILLABLE -> signal(worker, "kill", WorkerProcess::kill);
        }
    }

    private void enter(Phase phase, SupervisedWorker worker, @Nullable WorkerInfo info) {
        switch (phase) {
            case ASKED -> {
                if (info != null) {
                    ask(info).thenAccept(willEnd -> {
                        if (!willEnd) {
                            worker.stop.refuse();
                            worker.decide(() -> advance(worker));
                        }
                    });
                }
            }
            case TERMINATED -> signal(worker, "terminate", WorkerProcess::terminate);
            case KILLED -> signal(worker, "kill", WorkerProcess::kill);
            case UNKILLABLE -> giveUp(worker);
            case RUNNING, DRAINING -> throw new AssertionError(phase);
        }
    }

    private void giveUp(SupervisedWorker worker) {
        if (worker.process() == null) {
            log.warn(
                    "worker {} was stopped while it was being started, and that does not end; if its process still"
                            + " comes, it is killed",
                    worker.id);
            exits.giveUpStart(worker);
        } else {
            UnkillableException unkillable = new UnkillableException(worker);
            log.warn("{}; it keeps its slots and its port", unkillable.getMessage());
            worker.giveUp(unkillable);
        }
    }

    /**
     * Asks a worker to end, outside of its turn: a request that blocks holds up no other step of the stop.
     *
     * @return completes with whether the worker will end, or not at all
     */
    CompletableFuture<Boolean> ask(WorkerInfo worker) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        CallBacks.run(() -> ask(worker, answer));
        return answer;
    }

    /** The one guard around the hive's stop request and its stage: whatever they throw counts as a no. */
    private void ask(WorkerInfo worker, CompletableFuture<Boolean> answer) {
        try {
            CompletionStage<Boolean> stage = request == null ? null : request.ask(worker);
            if (stage == null) {
                answer.complete(false);
            } else {
                stage.whenComplete(
                        (willEnd, failure) -> answer.complete(failure == null && Boolean.TRUE.equals(willEnd)));
            }
        } catch (Throwable t) {
            log.warn("stop request of worker {} failed; SIGTERM follows", worker.id(), LogText.of(t));
            answer.complete(false);
        }
    }

    /** The one guard around a process that is signalled; one that is still being started gets the signal later. */
    static void signal(SupervisedWorker worker, String what, Consumer<WorkerProcess> signal) {
        WorkerProcess process = worker.process();
        if (process == null) {
            return;
        }
        try {
            signal.accept(process);
        } catch (Throwable t) {
            log.warn("worker {}: {} failed; the next step of its stop will follow", worker.id, what, LogText.of(t));
        }
    }
}
