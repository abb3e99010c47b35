package io.github.workerregistry.testing.contract;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** Checks of the output of a process, and of its release. */
final class ProcessOutputChecks {

    private static final int LONG_LINE = 20_000;

    private ProcessOutputChecks() {}

    static List<SceneCheck<ProcessScene>> all() {
        return List.of(
                new SceneCheck<>(
                        "output is counted, and outputTail returns the last lines, oldest first",
                        ProcessOutputChecks::counted),
                new SceneCheck<>("recordsOutput is true only if output is recorded", ProcessOutputChecks::recorded),
                new SceneCheck<>("a process that prints nothing has no output", ProcessOutputChecks::silent),
                new SceneCheck<>("a long line is returned, whole or truncated", ProcessOutputChecks::longLine),
                new SceneCheck<>("outputTail rejects a number of lines below 1", ProcessOutputChecks::noLines),
                new SceneCheck<>("the output of different processes is separate", ProcessOutputChecks::separate),
                new SceneCheck<>("readOutput reads output from an offset on", ProcessOutputChecks::fromAnOffset),
                new SceneCheck<>(
                        "readOutput reads the last output after the exit",
                        ProcessOutputChecks::fromAnOffsetAfterTheExit),
                new SceneCheck<>("readOutput rejects a negative offset", ProcessOutputChecks::negativeOffset),
                new SceneCheck<>("output can be read after the exit", ProcessOutputChecks::afterTheExit),
                new SceneCheck<>("the methods of a released process still return", ProcessOutputChecks::released),
                new SceneCheck<>("the next process of a worker starts without output", ProcessOutputChecks::next),
                new SceneCheck<>("release frees the resources of the process", ProcessOutputChecks::freesResources));
    }

    private static void counted(ProcessScene scene) {
        PromptProcess process = scene.printing("w", "one", "two", "three");

        printed(scene, process, "one", "two", "three");

        Expect.equal("the last 10 lines", List.of("one", "two", "three"), process.outputTail(10));
        Expect.equal("the last 2 lines", List.of("two", "three"), process.outputTail(2));
    }

    private static void recorded(ProcessScene scene) {
        Optional<PromptProcess> printing = scene.printingIfRecorded("w", "one");

        PromptProcess process = printing.orElseGet(() -> scene.longRunning("w"));

        Expect.equal("the result of recordsOutput()", printing.isPresent(), process.recordsOutput());
        if (printing.isEmpty()) {
            OptionalLong first = process.readOutput(0, ByteBuffer.allocate(10));
            Expect.equal("the result of readOutput", OptionalLong.empty(), first);
        }
    }

    private static void silent(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");

        Expect.equal("the number of bytes", 0L, process.outputBytes());
        Expect.equal("the last 10 lines", List.of(), process.outputTail(10));
    }

    private static void longLine(ProcessScene scene) {
        String line = String.join("", Collections.nCopies(LONG_LINE / 10, "0123456789"));
        PromptProcess process = scene.printing("w", "one", line);

        printed(scene, process, "one", line);

        List<String> tail = process.outputTail(1);
        Expect.equal("the number of lines", 1, tail.size());
        Expect.that(
                !tail.get(0).isEmpty() && line.contains(tail.get(0)),
                "the long line or part of it, but it was: " + tail.get(0));
    }

    private static void noLines(ProcessScene scene) {
        PromptProcess process = scene.longRunning("w");

        for (int lines : List.of(0, -1)) {
            Throwable failure = scene.calls()
                    .failureOf("outputTail(" + lines + ")", () -> process.bare().outputTail(lines));
            Expect.that(
                    failure instanceof IllegalArgumentException,
                    "an IllegalArgumentException of outputTail(" + lines + "), but it was " + failure);
        }
    }

    private static void separate(ProcessScene scene) {
        PromptProcess one = scene.printing("w1", "one");
        PromptProcess other = scene.printing("w2", "other");

        printed(scene, one, "one");
        printed(scene, other, "other");

        Expect.equal("the output of the first", List.of("one"), one.outputTail(10));
        Expect.equal("the output of the second", List.of("other"), other.outputTail(10));
    }

    private static void fromAnOffset(ProcessScene scene) {
        PromptProcess process = scene.printing("w", "one", "two");
        printed(scene, process, "one", "two");

        Expect.equal("the output", "one\ntwo\n", read(process, 0, 100));
        Expect.equal("the output from offset 4 on", "two\n", read(process, 4, 100));
        Expect.equal("the first 5 bytes", "one\nt", read(process, 0, 5));
        Expect.equal("the output from its end on", "", read(process, 8, 100));
    }

    private static void fromAnOffsetAfterTheExit(ProcessScene scene) {
        PromptProcess process = scene.printing("w", "last line");
        printed(scene, process, "last line");

        process.kill();
        scene.awaitExit(process);

        Expect.equal("the output from offset 5 on", "line\n", read(process, 5, 100));
    }

    private static void negativeOffset(ProcessScene scene) {
        PromptProcess process = scene.printing("w", "one");
        printed(scene, process, "one");
        read(process, 0, 1);

        Throwable failure =
                scene.calls().failureOf("readOutput(-1)", () -> process.bare().readOutput(-1, ByteBuffer.allocate(1)));

        Expect.that(
                failure instanceof IllegalArgumentException,
                "an IllegalArgumentException of readOutput(-1), but it was " + failure);
    }

    /** Reads at most that many bytes, all of which are kept. */
    private static String read(PromptProcess process, long offset, int limit) {
        ByteBuffer into = ByteBuffer.allocate(limit);
        OptionalLong first = process.readOutput(offset, into);
        if (first.isEmpty()) {
            throw new NotApplicableException("readOutput returns empty");
        }
        Expect.equal("the offset of the first byte", offset, first.getAsLong());
        return new String(into.array(), 0, into.position(), US_ASCII);
    }

    private static void afterTheExit(ProcessScene scene) {
        PromptProcess process = scene.printing("w", "last line");
        printed(scene, process, "last line");

        process.kill();
        scene.awaitExit(process);

        Expect.equal("the last line", List.of("last line"), process.outputTail(1));
    }

    private static void released(ProcessScene scene) {
        PromptProcess process = scene.printing("w", "one");
        printed(scene, process, "one");
        long bytes = process.outputBytes();
        process.kill();
        var status = scene.awaitExit(process);

        process.release();

        Expect.that(
                process.outputBytes() >= bytes,
                "a number of bytes that does not decrease, but it was " + bytes + ", then " + process.outputBytes());
        List<String> tail = process.outputTail(10);
        Expect.that(List.of(List.of(), List.of("one")).contains(tail), "the old output or none, but it was " + tail);
        process.readOutput(0, ByteBuffer.allocate(10));
        process.usage();
        process.terminate();
        process.kill();
        process.identity();
        Expect.equal("the exit status", status, process.exitStatus().orElse(null));
        Expect.equal("the status that onExit reports", status, scene.awaitNotice(process.notice()));
    }

    private static void next(ProcessScene scene) {
        PromptProcess last = scene.printing("w", "of the previous process");
        printed(scene, last, "of the previous process");
        last.kill();
        scene.awaitExit(last);
        last.release();

        PromptProcess next = scene.printing("w", "mine");
        printed(scene, next, "mine");

        Expect.equal("the output of the next process", List.of("mine"), next.outputTail(10));
    }

    private static void freesResources(ProcessScene scene) {
        Set<String> before = scene.leftovers();
        PromptProcess process = scene.longRunning("w");

        process.kill();
        scene.awaitExit(process);
        process.release();

        Expect.equal("the resources that remain after the release", before, scene.leftovers());
    }

    /** Waits until these lines are counted; the count must not decrease and must not exceed their length. */
    private static void printed(ProcessScene scene, PromptProcess process, String... lines) {
        long expected = 0;
        for (String line : lines) {
            expected += line.length() + 1;
        }
        long[] last = {0};
        long all = expected;
        scene.eventually(all + " bytes of output", () -> {
            long now = process.outputBytes();
            Expect.that(
                    now >= last[0],
                    "a number of bytes that does not decrease, but it was " + last[0] + ", then " + now);
            last[0] = now;
            return now >= all;
        });
        Expect.equal("the number of bytes", all, last[0]);
    }
}
