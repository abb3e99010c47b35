package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.internal.LogText;
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
 * Advances every {@link StopSequence} that has begun: when the stop is called, when a stop request is answered, and at
 * each tick.
 */
final class StopLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final SlicedPass<SupervisedWorker> pass;

    StopLoop(WorkerRegistry registry, SupervisedWorkers workers, ExitProcessor exits) {
        this.registry = registry;
        this.pass = new SlicedPass<>(registry.clock());
        this.workers = workers;
        this.exits = exits;
    }

    @Override
    public void tick(Instant now) {
        pass.run(workers.all(), worker -> {
            if (worker.stop.phase() != Phase.RUNNING) {
                worker.decide(() -> advance(worker));
            }
        });
    }

    @Override
    public boolean isUnfinished() {
        return pass.isUnfinished();
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    /** Enters every due phase of the worker's stop. In the worker's serial executor. */
    void advance(SupervisedWorker worker) {
        if (worker.hasExited()) {
            return;
        }
        WorkerInfo info = worker.process() == null
                ? null // it is being started: no request to send, no leases
                : registry.get(worker.id).filter(worker::owns).orElse(null);
        int openLeases = info == null ? 0 : info.slotsInUse();
        boolean canAsk = info != null && worker.rules().stopRequest().isPresent();
        boolean survives = worker.stop.isKilling() && survivesKill(worker);
        Phase entered;
        do {
            entered = worker.stop.next(registry.clock().instant(), openLeases, canAsk, survives);
            if (entered != null) {
                log.debug("worker {}: stop enters {}", worker.name, entered);
                enter(entered, worker, info);
            }
        } while (entered != null);
    }

    private static boolean survivesKill(SupervisedWorker worker) {
        WorkerProcess process = worker.process();
        try {
            return process == null || process.survivesKill();
        } catch (Throwable t) { // foreign code; assume that the process survived
            worker.warnOnce(log, "worker {}: cannot tell whether its process survived SIGKILL", t);
            return true;
        }
    }

    /** Sends the signal of the current phase to a process that was attached during the stop. */
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
                    ask(info, worker.rules()).thenAccept(willEnd -> {
                        if (!willEnd) {
                            worker.stop.refuse();
                            worker.decide(() -> advance(worker));
                        }
                    });
                }
            }
            case TERMINATED -> signal(worker, "terminate", WorkerProcess::terminate);
            case KILLED -> signal(worker, "kill", WorkerProcess::kill);
            case UNKILLABLE -> endUnkillable(worker);
            case RUNNING, DRAINING -> throw new AssertionError(phase);
        }
    }

    private void endUnkillable(SupervisedWorker worker) {
        if (worker.process() == null) {
            log.warn(
                    "worker {} was stopped during its start, which has not returned; if it still starts a process,"
                            + " that is killed",
                    worker.name);
            exits.abandonStart(worker);
        } else {
            log.warn(
                    "worker {}: process {} survived SIGKILL; it keeps its slots and its port",
                    worker.name,
                    worker.pid());
            worker.fail(new UnkillableException(worker));
        }
    }

    /**
     * Sends the stop request, outside of the worker's serial executor: a request that blocks delays no other phase.
     *
     * @return completes with whether the worker will exit; may never complete
     */
    CompletableFuture<Boolean> ask(WorkerInfo worker, WorkerRules rules) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        DeferredCallBacks.run(() -> ask(worker, rules.stopRequest().orElse(null), answer));
        return answer;
    }

    /** The only guard around the hive's stop request and its stage; a failure counts as false. */
    private static void ask(WorkerInfo worker, @Nullable StopRequest request, CompletableFuture<Boolean> answer) {
        try {
            CompletionStage<Boolean> stage = request == null ? null : request.ask(worker);
            if (stage == null) {
                answer.complete(false);
            } else {
                stage.whenComplete(
                        (willEnd, failure) -> answer.complete(failure == null && Boolean.TRUE.equals(willEnd)));
            }
        } catch (Throwable t) {
            log.warn("worker {}: the stop request failed; SIGTERM follows", WorkerName.of(worker), LogText.of(t));
            answer.complete(false);
        }
    }

    /** The only guard around signals to a process. Without a process, {@link #catchUp} sends the signal later. */
    static void signal(SupervisedWorker worker, String what, Consumer<WorkerProcess> signal) {
        WorkerProcess process = worker.process();
        if (process == null) {
            return;
        }
        try {
            signal.accept(process);
        } catch (Throwable t) {
            log.warn("worker {}: {} failed; the next step of its stop will follow", worker.name, what, LogText.of(t));
        }
    }
}
