package io.github.workerregistry.testing;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HealthStatus.Healthy;
import io.github.workerregistry.health.HealthStatus.Unhealthy;
import io.github.workerregistry.testing.ProbeScene.Question;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/** What a probe promises. */
final class ProbeChecks {

    private static final int SOME = 3;
    private static final int MANY = 16;
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Duration SHORTEST = Duration.ofNanos(1);

    /** A hundred years: the longest that a supervisor can be told. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private ProbeChecks() {}

    static List<SceneCheck<ProbeScene>> all() {
        return List.of(
                new SceneCheck<>("a worker that is well is found healthy", ProbeChecks::healthy),
                new SceneCheck<>(
                        "a worker that says it is not well is found unhealthy, with a reason",
                        scene -> unhealthy(scene, scene.given("unhealthy", hooks -> hooks.unhealthy("w")))),
                new SceneCheck<>(
                        "a worker that is not there is found unhealthy, with a reason",
                        scene -> unhealthy(scene, scene.given("dead", hooks -> hooks.dead("w")))),
                new SceneCheck<>(
                        "a worker that cannot be asked is not found healthy, and is no error",
                        scene -> notHealthy(scene, scene.given("unaskable", hooks -> hooks.unaskable("w")))),
                new SceneCheck<>(
                        "a worker that answers nonsense is not found healthy, and is no error",
                        scene -> notHealthy(scene, scene.given("garbled", hooks -> hooks.garbled("w")))),
                new SceneCheck<>("an answer that takes a moment counts", ProbeChecks::slow),
                new SceneCheck<>(
                        "a worker that keeps silent is found unhealthy in time, or can be given up",
                        ProbeChecks::silent),
                new SceneCheck<>("a worker that keeps silent does not hold up the caller", ProbeChecks::holdsUpNobody),
                new SceneCheck<>("a worker that keeps silent does not delay the others", ProbeChecks::delaysNobody),
                new SceneCheck<>("a probe that is given up stays given up, and harms no other", ProbeChecks::givenUp),
                new SceneCheck<>("the answer is given once", ProbeChecks::once),
                new SceneCheck<>("each probe has an answer of its own", ProbeChecks::ofItsOwn),
                new SceneCheck<>("many workers can be probed at the same time", ProbeChecks::many),
                new SceneCheck<>("the shortest timeout is no error", ProbeChecks::shortest),
                new SceneCheck<>("the longest timeout is no error", ProbeChecks::longest));
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

    /** The supervisor bounds the time itself: a probe need not, if it lets go when it is told to. */
    private static void silent(ProbeScene scene) {
        Question question = scene.ask(scene.silent("w"), SHORT);

        if (question.isOverWithin(SHORT.multipliedBy(5))) {
            expectUnhealthy(question.answerNow());
        } else {
            question.drop();
        }
    }

    private static void holdsUpNobody(ProbeScene scene) {
        Question question = scene.ask(scene.silent("w"), LONGEST);

        Expect.that(!question.isOver(), "no answer of a worker that keeps silent, long before the time is over");
    }

    private static void delaysNobody(ProbeScene scene) {
        for (int i = 0; i < SOME; i++) {
            scene.ask(scene.silent("silent" + i), LONGEST);
        }

        Expect.equal("the answer of another", HealthStatus.healthy(), scene.answerOf(scene.healthy("w")));
    }

    private static void givenUp(ProbeScene scene) {
        Question givenUp = scene.ask(scene.silent("silent"), LONGEST);
        Question other = scene.ask(scene.silent("other"), LONGEST);

        givenUp.drop();

        scene.notSoon("the end of another probe", other::isOver);
        Expect.equal("the answer of another", HealthStatus.healthy(), scene.answerOf(scene.healthy("w")));
    }

    private static void once(ProbeScene scene) {
        Question question = scene.ask(scene.healthy("w"), ProbeScene.TIMEOUT);
        question.answer();

        scene.notSoon("a second answer", () -> question.ends() > 1);
    }

    private static void ofItsOwn(ProbeScene scene) {
        WorkerInfo worker = scene.healthy("w");
        Question first = scene.ask(worker, ProbeScene.TIMEOUT);
        first.drop();

        Question second = scene.ask(worker, ProbeScene.TIMEOUT);

        Expect.equal("the answer to the second probe", HealthStatus.healthy(), second.answer());
    }

    private static void many(ProbeScene scene) {
        List<WorkerInfo> workers =
                IntStream.range(0, MANY).mapToObj(i -> scene.healthy("w" + i)).toList();

        for (Question question : scene.askAtOnce(workers)) {
            Expect.equal("each answer", HealthStatus.healthy(), question.answer());
        }
    }

    private static void shortest(ProbeScene scene) {
        Question question = scene.ask(scene.healthy("w"), SHORTEST);

        if (question.isOverWithin(SHORT)) {
            question.answerNow();
        }
    }

    private static void longest(ProbeScene scene) {
        Question question = scene.ask(scene.healthy("w"), LONGEST);

        Expect.equal("the answer", HealthStatus.healthy(), question.answer());
    }
}
