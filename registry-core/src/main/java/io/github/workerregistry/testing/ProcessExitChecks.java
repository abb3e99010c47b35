package io.github.workerregistry.testing;

import io.github.workerregistry.ExitStatus;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** How the end of a process becomes known: by asking, and by the notice. */
final class ProcessExitChecks {

    private static final int CODE = 3;
    private static final ExitStatus ENDED = ExitStatus.unrequested(CODE);
    private static final int MANY = 8;

    private ProcessExitChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>("an end by itself is unrequested and has its code", ProcessExitChecks::byItself),
                new SceneCheck<>("an end by itself with code zero is unrequested too", ProcessExitChecks::withZero),
                new SceneCheck<>("the exit status stays the same for ever", ProcessExitChecks::sameForEver),
                new SceneCheck<>("the notice comes though nobody asks for the status", ProcessExitChecks::unasked),
                new SceneCheck<>("the notice is given once to each receiver", ProcessExitChecks::once),
                new SceneCheck<>("the notice is given also to whoever asks late", ProcessExitChecks::late),
                new SceneCheck<>("a receiver of the notice may call back", ProcessExitChecks::callsBack),
                new SceneCheck<>("a receiver of the notice that throws harms nobody", ProcessExitChecks::throwing),
                new SceneCheck<>("nobody can forge the notice", ProcessExitChecks::forged),
                new SceneCheck<>("nobody can take the notice from others", ProcessExitChecks::cancelled),
                new SceneCheck<>("many who ask at the same time get the same answer", ProcessExitChecks::many));
    }

    private static void byItself(ProcessScene scene) {
        Expect.equal("the exit status", ENDED, scene.ended(scene.endingWith("w", CODE)));
    }

    private static void withZero(ProcessScene scene) {
        Expect.equal("the exit status", ExitStatus.unrequested(0), scene.ended(scene.endingWith("w", 0)));
    }

    private static void sameForEver(ProcessScene scene) {
        PromptProcess process = scene.endingWith("w", CODE);
        ExitStatus first = scene.ended(process);

        Expect.equal("the exit status, asked again", Optional.of(first), process.exitStatus());
        process.kill();
        Expect.equal("the exit status after a kill that came late", Optional.of(first), process.exitStatus());
        process.release();
        Expect.equal("the exit status after release", Optional.of(first), process.exitStatus());
    }

    private static void unasked(ProcessScene scene) {
        PromptProcess process = scene.endingWith("w", CODE);

        Expect.equal("the status that the notice carries", ENDED, scene.noticed(process.notice()));
    }

    private static void once(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        List<ExitStatus> notices = new CopyOnWriteArrayList<>();
        process.onExit().thenAccept(notices::add);

        process.kill();
        ExitStatus status = scene.ended(process);
        scene.eventually("the receiver to be told", () -> !notices.isEmpty());
        scene.notSoon("a second notice", () -> notices.size() > 1);

        Expect.equal("what the receiver was told", List.of(status), notices);
    }

    private static void late(ProcessScene scene) {
        PromptProcess process = scene.endingWith("w", CODE);
        scene.noticed(process.notice());

        CompletableFuture<ExitStatus> late = process.notice();

        Expect.that(late.isDone(), "whoever asks after the notice to be told at once");
        Expect.equal("the status that the notice carries", ENDED, scene.noticed(late));
    }

    private static void callsBack(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        AtomicReference<@Nullable Optional<ExitStatus>> found = new AtomicReference<>();
        process.onExit().thenAccept(status -> {
            process.bare().terminate();
            process.bare().kill();
            process.bare().outputTail(1);
            found.set(process.bare().exitStatus());
        });

        process.kill();
        ExitStatus status = scene.ended(process);
        scene.eventually("the receiver to come to its end", () -> found.get() != null);

        Expect.equal("the exit status that the receiver finds", Optional.of(status), found.get());
    }

    private static void throwing(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        process.onExit().thenAccept(status -> {
            throw new IllegalStateException("thrown by the check");
        });
        CompletableFuture<ExitStatus> other = process.notice();

        process.kill();
        ExitStatus status = scene.ended(process);

        Expect.equal("the status that another receiver is told", status, scene.noticed(other));
    }

    private static void forged(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");

        meddle(() -> process.onExit().toCompletableFuture().complete(ExitStatus.unrequested(99)));

        Expect.equal("the exit status of a running process", Optional.empty(), process.exitStatus());
        Expect.that(!process.notice().isDone(), "no notice of the exit of a running process");
        process.kill();
        ExitStatus status = scene.ended(process);
        Expect.equal("the status that the notice carries", status, scene.noticed(process.notice()));
    }

    private static void cancelled(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        CompletableFuture<ExitStatus> other = process.notice();

        meddle(() -> process.onExit().toCompletableFuture().cancel(true));
        process.kill();
        ExitStatus status = scene.ended(process);

        Expect.equal("the status that the other receiver is told", status, scene.noticed(other));
    }

    private static void many(ProcessScene scene) {
        PromptProcess process = scene.lasting("w");
        process.kill();

        Set<ExitStatus> seen = new LinkedHashSet<>();
        scene.eventually("an exit status for each caller", () -> {
            List<Optional<ExitStatus>> answers = scene.calls().atOnce(MANY, "exitStatus()", process.bare()::exitStatus);
            answers.forEach(answer -> answer.ifPresent(seen::add));
            return answers.stream().allMatch(Optional::isPresent);
        });

        Expect.equal("the exit statuses that callers get", Set.of(scene.ended(process)), seen);
    }

    /** A stage may refuse to be made a future: then nobody can meddle with it. */
    private static void meddle(Runnable attempt) {
        try {
            attempt.run();
        } catch (UnsupportedOperationException refused) {
            // just as well
        }
    }
}
