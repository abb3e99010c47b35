package io.github.workerregistry.testing.contract;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HealthStatus.Healthy;
import io.github.workerregistry.health.HealthStatus.Unhealthy;
import io.github.workerregistry.testing.contract.ProbeScene.PendingProbe;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/** The checks of {@link HealthProbeContract}. */
final class ProbeChecks {

    private static final int FEW = 3;
    private static final int MANY = 16;
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Duration SHORTEST = Duration.ofNanos(1);

    /** The maximum timeout of a supervisor: 100 years. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private ProbeChecks() {}

    static List<SceneCheck<ProbeScene>> all() {
        return List.of(
                new SceneCheck<>("a healthy worker is reported as healthy", ProbeChecks::healthy),
                new SceneCheck<>(
                        "an unhealthy worker is reported as unhealthy, with a reason",
                        scene -> unhealthy(scene, scene.given("unhealthy", hooks -> hooks.unhealthy("w")))),
                new SceneCheck<>(
                        "an exited worker is reported as unhealthy, with a reason",
                        scene -> unhealthy(scene, scene.given("exited", hooks -> hooks.exited("w")))),
                new SceneCheck<>(
                        "an invalid url is not reported as healthy and does not fail the probe",
                        scene -> notHealthy(scene, scene.given("invalidUrl", hooks -> hooks.invalidUrl("w")))),
                new SceneCheck<>(
                        "an invalid answer is not reported as healthy and does not fail the probe",
                        scene -> notHealthy(scene, scene.given("malformed", hooks -> hooks.malformed("w")))),
                new SceneCheck<>("a slow answer is reported", ProbeChecks::slow),
                new SceneCheck<>(
                        "a probe without an answer completes as unhealthy at its timeout or can be cancelled",
                        ProbeChecks::silent),
                new SceneCheck<>(
                        "a worker that does not answer does not block the caller", ProbeChecks::doesNotBlockCaller),
                new SceneCheck<>(
                        "a worker that does not answer does not delay other probes", ProbeChecks::doesNotDelayOthers),
                new SceneCheck<>("cancelling a probe does not affect other probes", ProbeChecks::cancelled),
                new SceneCheck<>("a probe completes only once", ProbeChecks::completesOnce),
                new SceneCheck<>("two probes of one worker are independent", ProbeChecks::independent),
                new SceneCheck<>("many workers can be probed concurrently", ProbeChecks::many),
                new SceneCheck<>("a timeout of 1 ns is accepted", ProbeChecks::shortest),
                new SceneCheck<>("a timeout of 100 years is accepted", ProbeChecks::longest));
    }

    private static void healthy(ProbeScene scene) {
        Expect.equal("the answer", HealthStatus.healthy(), scene.answerOf(scene.healthy("w")));
    }

    private static void unhealthy(ProbeScene scene, WorkerInfo worker) {
        HealthStatus answer = scene.answerOf(worker);

        expectUnhealthy(answer);
    }

    private static void expectUnhealthy(HealthStatus answer) {
        Expect.that(answer instanceof Unhealthy, "the answer to be Unhealthy, but it was " + answer);
        Expect.that(!((Unhealthy) answer).reason().isBlank(), "a reason, but it was blank");
    }

    private static void notHealthy(ProbeScene scene, WorkerInfo worker) {
        HealthStatus answer = scene.answerOf(worker);

        Expect.that(!(answer instanceof Healthy), "the answer not to be Healthy");
    }

    private static void slow(ProbeScene scene) {
        WorkerInfo worker = scene.given("slow", hooks -> hooks.slow("w"));

        Expect.equal("the answer", HealthStatus.healthy(), scene.answerOf(worker));
    }

    /** A probe need not enforce the timeout, if it can be cancelled: the supervisor enforces it. */
    private static void silent(ProbeScene scene) {
        PendingProbe pending = scene.probe(scene.silent("w"), SHORT);

        if (pending.completesWithin(SHORT.multipliedBy(5))) {
            expectUnhealthy(pending.answerNow());
        } else {
            pending.cancel();
        }
    }

    private static void doesNotBlockCaller(ProbeScene scene) {
        PendingProbe pending = scene.probe(scene.silent("w"), LONGEST);

        Expect.that(
                !pending.isComplete(), "the probe of a worker that does not answer not to complete before its timeout");
    }

    private static void doesNotDelayOthers(ProbeScene scene) {
        for (int i = 0; i < FEW; i++) {
            scene.probe(scene.silent("silent" + i), LONGEST);
        }

        Expect.equal("the answer of another worker", HealthStatus.healthy(), scene.answerOf(scene.healthy("w")));
    }

    private static void cancelled(ProbeScene scene) {
        PendingProbe cancelled = scene.probe(scene.silent("silent"), LONGEST);
        PendingProbe other = scene.probe(scene.silent("other"), LONGEST);

        cancelled.cancel();

        scene.notSoon("the completion of another probe", other::isComplete);
        Expect.equal("the answer of another worker", HealthStatus.healthy(), scene.answerOf(scene.healthy("w")));
    }

    private static void completesOnce(ProbeScene scene) {
        PendingProbe pending = scene.probe(scene.healthy("w"), ProbeScene.TIMEOUT);
        pending.answer();

        scene.notSoon("a second completion", () -> pending.completions() > 1);
    }

    private static void independent(ProbeScene scene) {
        WorkerInfo worker = scene.healthy("w");
        PendingProbe first = scene.probe(worker, ProbeScene.TIMEOUT);
        first.cancel();

        PendingProbe second = scene.probe(worker, ProbeScene.TIMEOUT);

        Expect.equal("the answer to the second probe", HealthStatus.healthy(), second.answer());
    }

    private static void many(ProbeScene scene) {
        List<WorkerInfo> workers =
                IntStream.range(0, MANY).mapToObj(i -> scene.healthy("w" + i)).toList();

        for (PendingProbe pending : scene.probeConcurrently(workers)) {
            Expect.equal("each answer", HealthStatus.healthy(), pending.answer());
        }
    }

    private static void shortest(ProbeScene scene) {
        PendingProbe pending = scene.probe(scene.healthy("w"), SHORTEST);

        if (pending.completesWithin(SHORT)) {
            pending.answerNow();
        }
    }

    private static void longest(ProbeScene scene) {
        PendingProbe pending = scene.probe(scene.healthy("w"), LONGEST);

        Expect.equal("the answer", HealthStatus.healthy(), pending.answer());
    }
}
