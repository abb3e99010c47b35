package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.HiveBesideItsModel.Lease;
import io.github.workerregistry.lifecycle.HiveBesideItsModel.Promise;
import io.github.workerregistry.lifecycle.ModelledSigns.Health;
import io.github.workerregistry.lifecycle.WorkerLifeProperties.Step;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What is done to a {@link HiveBesideItsModel}: each step is told to the model, and then done. */
final class HiveSteps {

    private static final String MODEL = "tiny";
    private static final List<String> IDS = List.of("a", "b", "c");
    private static final List<Health> HEALTHS = List.of(Health.values());
    private static final List<Duration> PAUSES =
            List.of(Duration.ofSeconds(3), Duration.ofSeconds(30), Duration.ofMinutes(10));

    /** So many absences the supervisor remembers; with more, its deadlines move no further. */
    private static final int PAUSES_AT_MOST = 15;

    private final HiveBesideItsModel hive;
    private int pauses;

    HiveSteps(HiveBesideItsModel hive) {
        this.hive = hive;
    }

    void spawnAll() {
        IDS.forEach(this::spawn);
    }

    void take(Step step) {
        String id = IDS.get(step.x() % IDS.size());
        ModelledLife life = hive.lives.get(id);
        boolean running = life != null && life.process().isThere();
        switch (step.action()) {
            case SPAWN -> spawn(id);
            case FAIL_NEXT_START -> hive.failNextStart = true;
            case READY -> {
                boolean ready = life != null && life.ready(hive.now());
                assertThat(hive.supervisor.ready(id)).isEqualTo(ready);
            }
            case LEASE -> lease(id, life);
            case GIVE_BACK -> giveBack(step.x());
            case EXIT -> exit(id, life, List.of(0, 1, 137, 139).get(step.y() % 4));
            case EXIT_UNNOTICED -> {
                if (running) {
                    life.process().exitsUnnoticed(step.y() % 3);
                    hive.processes.exitUnnoticed(id, step.y() % 3);
                }
            }
            case ANSWER -> answer(id, life, HEALTHS.get(step.y() % HEALTHS.size()));
            case ANSWER_ALL ->
                hive.lives.forEach((each, one) -> answer(each, one, HEALTHS.get(step.y() % HEALTHS.size())));
            case BEAT_ALL -> IDS.forEach(each -> beat(each, hive.lives.get(each)));
            case IGNORE_TERMINATE -> {
                if (running) {
                    life.process().ignoresTerminate();
                    hive.processes.ignoreTerminate(id);
                }
            }
            case IGNORE_KILL -> {
                if (running) {
                    life.process().ignoresKill();
                    hive.processes.ignoreKill(id);
                }
            }
            case PRINT -> {
                if (running) {
                    life.prints("line " + step.y(), hive.now());
                    hive.processes.print(id, "line " + step.y());
                }
            }
            case LOG_PROBES -> {
                if (running) {
                    life.process().logsProbes(step.y() % 4 > 0);
                }
            }
            case PROGRESS -> {
                boolean supervised = life != null && life.isSupervised();
                assertThat(hive.supervisor.progress(id)).isEqualTo(supervised);
                if (supervised) {
                    life.progress(hive.now());
                }
            }
            case BEAT -> beat(id, life);
            case STOP -> stop(id, life, false);
            case FORCE_KILL -> stop(id, life, true);
            case REPLACE -> {
                stop(id, life, true);
                spawn(id);
            }
            case RESTART -> restart(id, life);
            case REMOVE -> {
                if (life != null) {
                    life.deregister();
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
        WorkerSpec spec = WorkerSpec.builder()
                .id(id)
                .modelRef(MODEL)
                .slots(LifeRules.SLOTS)
                .command("serve", "{port}")
                .build();
        ModelledLife known = hive.lives.get(id);
        if (hive.isShuttingDown()) {
            assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> hive.supervisor.spawn(spec));
        } else if (known != null && known.isSupervised()) {
            assertThatExceptionOfType(DuplicateWorkerException.class).isThrownBy(() -> hive.supervisor.spawn(spec));
        } else {
            boolean fails = hive.failNextStart;
            Health health = known == null ? Health.WELL : known.health();
            hive.lives.put(id, new ModelledLife(id, MODEL, hive.mode, hive.exits, health, hive.now()));
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

    /** The process ends and this is noticed; or it has ended, and the notice comes late. */
    private void exit(String id, ModelledLife life, int code) {
        if (hive.started.contains(id)) {
            life.exits(code, hive.now());
            hive.processes.exit(id, code);
        }
    }

    private void lease(String id, ModelledLife life) {
        Optional<SlotLease> lease = hive.registry.tryAcquireFrom(id);
        assertThat(lease.isPresent()).isEqualTo(life != null && life.canLease());
        lease.ifPresent(taken -> {
            life.lease();
            hive.leases.add(new Lease(taken, life, life.generation));
        });
    }

    private void giveBack(int choice) {
        if (!hive.leases.isEmpty()) {
            Lease lease = hive.leases.remove(choice % hive.leases.size());
            if (lease.mustBeValid()) {
                lease.life().giveBack(hive.now());
            }
            lease.lease().close();
        }
    }

    private void answer(String id, ModelledLife life, Health health) {
        if (life != null) {
            life.answers(health, hive.now());
            switch (health) {
                case WELL -> hive.probe.answer(id, HealthStatus.healthy());
                case ILL -> hive.probe.answer(id, HealthStatus.unhealthy("ill"));
                case SILENT -> hive.probe.hang(id);
                case UNCLEAR -> hive.probe.answer(id, HealthStatus.unknown("unclear"));
            }
        }
    }

    private void beat(String id, ModelledLife life) {
        boolean known = life != null && life.hasRecord();
        assertThat(hive.registry.heartbeat(id)).isEqualTo(known);
        if (known) {
            life.beat(hive.now());
        }
    }

    private void stop(String id, ModelledLife life, boolean atOnce) {
        boolean supervised = life != null && life.isSupervised();
        int generation = supervised ? life.generation : 0;
        if (supervised && atOnce) {
            life.stop(Cause.FORCED, Duration.ZERO, Duration.ZERO, hive.now());
        } else if (supervised) {
            life.stop(Cause.REQUESTED, LifeRules.DRAIN, LifeRules.DRAIN.plus(LifeRules.GRACE), hive.now());
        }
        CompletionStage<ExitStatus> gone = atOnce ? hive.supervisor.forceKill(id) : hive.supervisor.stop(id);
        if (supervised) {
            hive.promises.add(new Promise(gone.toCompletableFuture(), life, generation, life.attempts()));
        } else {
            assertThat(gone.toCompletableFuture()).isCompletedExceptionally();
        }
    }

    private void restart(String id, ModelledLife life) {
        boolean supervised = life != null && life.isSupervised();
        if (supervised) {
            life.restart(hive.now());
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
