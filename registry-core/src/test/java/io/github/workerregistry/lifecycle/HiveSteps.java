package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.HiveModelProperties.Step;
import io.github.workerregistry.lifecycle.LivenessModel.Health;
import io.github.workerregistry.lifecycle.ModelCheckedHive.Lease;
import io.github.workerregistry.lifecycle.ModelCheckedHive.PendingStop;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The actions on a {@link ModelCheckedHive}: each is applied to the model and then to the supervisor. */
final class HiveSteps {

    private static final String MODEL = "tiny";
    private static final List<String> IDS = List.of("a", "b", "c");
    private static final List<Health> HEALTHS = List.of(Health.values());
    private static final List<Duration> PAUSES =
            List.of(Duration.ofSeconds(3), Duration.ofSeconds(30), Duration.ofMinutes(10));

    /** The supervisor keeps this many pauses; with more, its deadlines are extended no further. */
    private static final int PAUSES_AT_MOST = 15;

    private final ModelCheckedHive hive;
    private int pauses;

    HiveSteps(ModelCheckedHive hive) {
        this.hive = hive;
    }

    void spawnAll() {
        IDS.forEach(this::spawn);
    }

    void apply(Step step) {
        String id = IDS.get(step.x() % IDS.size());
        WorkerModel model = hive.models.get(id);
        boolean running = model != null && model.process().isAlive();
        switch (step.action()) {
            case SPAWN -> spawn(id);
            case FAIL_NEXT_START -> hive.failNextStart = true;
            case READY -> {
                boolean ready = model != null && model.ready(hive.now());
                assertThat(hive.supervisor.reportReady(id)).isEqualTo(ready);
            }
            case LEASE -> lease(id, model);
            case RELEASE -> release(step.x());
            case EXIT -> exit(id, model, List.of(0, 1, 137, 139).get(step.y() % 4));
            case EXIT_UNNOTICED -> {
                if (running) {
                    model.process().exitsUnnoticed(step.y() % 3);
                    hive.processes.exitUnnoticed(id, step.y() % 3);
                }
            }
            case ANSWER -> answer(id, model, HEALTHS.get(step.y() % HEALTHS.size()));
            case ANSWER_ALL ->
                hive.models.forEach((each, one) -> answer(each, one, HEALTHS.get(step.y() % HEALTHS.size())));
            case BEAT_ALL -> IDS.forEach(each -> beat(each, hive.models.get(each)));
            case IGNORE_TERMINATE -> {
                if (running) {
                    model.process().ignoresTerminate();
                    hive.processes.ignoreTerminate(id);
                }
            }
            case IGNORE_KILL -> {
                if (running) {
                    model.process().ignoresKill();
                    hive.processes.ignoreKill(id);
                }
            }
            case PRINT -> {
                if (running) {
                    model.prints("line " + step.y(), hive.now());
                    hive.processes.print(id, "line " + step.y());
                }
            }
            case LOG_PROBES -> {
                if (running) {
                    model.process().logsProbes(step.y() % 4 > 0);
                }
            }
            case PROGRESS -> {
                boolean supervised = model != null && model.isSupervised();
                assertThat(hive.supervisor.reportProgress(id)).isEqualTo(supervised);
                if (supervised) {
                    model.progress(hive.now());
                }
            }
            case BEAT -> beat(id, model);
            case STOP -> stop(id, model, false);
            case FORCE_KILL -> stop(id, model, true);
            case REPLACE -> {
                stop(id, model, true);
                spawn(id);
            }
            case RESTART -> restart(id, model);
            case REMOVE -> {
                if (model != null) {
                    model.deregister();
                }
                hive.registry.remove(id);
            }
            case SET_WALL_CLOCK -> hive.clock.setWallClock(Duration.ofMinutes(step.y() % 2 == 0 ? -90 : 90));
            case PAUSE -> pause(PAUSES.get(step.y() % PAUSES.size()));
            case PASS_TIME -> hive.advance(Duration.ofMillis(step.y() * 500L));
            case SHUT_DOWN -> hive.shutDown(Duration.ofSeconds(1 + step.y()));
        }
    }

    private void spawn(String id) {
        ModelRules rules = hive.nextRules();
        WorkerSpec spec = hive.with(rules.overrides(), WorkerSpec.builder())
                .id(id)
                .modelRef(MODEL)
                .slots(ModelConfig.SLOTS)
                .command("serve", "{port}")
                .build();
        WorkerModel known = hive.models.get(id);
        if (hive.isShuttingDown()) {
            assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> hive.supervisor.spawn(spec));
        } else if (known != null && known.isSupervised()) {
            assertThatExceptionOfType(DuplicateWorkerException.class).isThrownBy(() -> hive.supervisor.spawn(spec));
        } else {
            boolean fails = hive.failNextStart;
            Health health = known == null ? Health.HEALTHY : known.health();
            hive.models.put(id, new WorkerModel(id, MODEL, rules, hive.exits, health, hive.now()));
            if (fails) {
                assertThatExceptionOfType(SpawnException.class).isThrownBy(() -> hive.supervisor.spawn(spec));
            } else {
                WorkerInfo spawned = hive.supervisor.spawn(spec);
                assertThat(spawned.pid()).isPresent();
                assertThat(hive.registry.list())
                        .filteredOn(other -> other.url().equals(spawned.url()))
                        .hasSize(1);
            }
        }
    }

    /** The process exits with a notification, or has exited and the notification comes late. */
    private void exit(String id, WorkerModel model, int code) {
        if (hive.started.contains(id)) {
            model.exits(code, hive.now());
            hive.processes.exit(id, code);
        }
    }

    private void lease(String id, WorkerModel model) {
        Optional<SlotLease> lease = hive.registry.tryAcquireFrom(id);
        assertThat(lease.isPresent()).isEqualTo(model != null && model.canLease());
        lease.ifPresent(taken -> {
            model.lease();
            hive.leases.add(new Lease(taken, model, model.generation));
        });
    }

    private void release(int choice) {
        if (!hive.leases.isEmpty()) {
            Lease lease = hive.leases.remove(choice % hive.leases.size());
            if (lease.mustBeValid()) {
                lease.model().release(hive.now());
            }
            lease.lease().close();
        }
    }

    private void answer(String id, WorkerModel model, Health health) {
        if (model != null) {
            model.answers(health, hive.now());
            switch (health) {
                case HEALTHY -> hive.probe.answer(id, HealthStatus.healthy());
                case UNHEALTHY -> hive.probe.answer(id, HealthStatus.unhealthy("unhealthy"));
                case SILENT -> hive.probe.hang(id);
                case UNCLEAR -> hive.probe.answer(id, HealthStatus.unknown("unclear"));
            }
        }
    }

    private void beat(String id, WorkerModel model) {
        boolean known = model != null && model.hasRecord();
        assertThat(hive.registry.heartbeat(id)).isEqualTo(known);
        if (known) {
            model.beat(hive.now());
        }
    }

    private void stop(String id, WorkerModel model, boolean atOnce) {
        boolean supervised = model != null && model.isSupervised();
        int generation = supervised ? model.generation : 0;
        if (supervised && atOnce) {
            model.stop(Cause.FORCED, Duration.ZERO, Duration.ZERO, hive.now());
        } else if (supervised) {
            model.stop(Cause.REQUESTED, model.drain(), model.drain().plus(model.grace()), hive.now());
        }
        CompletionStage<ExitStatus> stage = atOnce ? hive.supervisor.forceKill(id) : hive.supervisor.stop(id);
        if (supervised) {
            hive.pendingStops.add(new PendingStop(stage.toCompletableFuture(), model, generation, model.attempts()));
        } else {
            assertThat(stage.toCompletableFuture()).isCompletedExceptionally();
        }
    }

    private void restart(String id, WorkerModel model) {
        boolean supervised = model != null && model.isSupervised();
        if (supervised) {
            model.restart(hive.now());
        }
        CompletableFuture<WorkerInfo> restarted = hive.supervisor.restart(id).toCompletableFuture();
        assertThat(supervised || restarted.isCompletedExceptionally()).isTrue();
    }

    private void pause(Duration howLong) {
        if (pauses++ < PAUSES_AT_MOST) {
            hive.suspend(howLong);
        }
    }
}
