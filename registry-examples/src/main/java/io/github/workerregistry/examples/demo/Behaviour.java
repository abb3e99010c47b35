package io.github.workerregistry.examples.demo;

import io.github.workerregistry.examples.DurationConverter;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Option;

/** The behaviour of the demo worker: options and the faults that they inject. */
final class Behaviour {

    private static final int LOAD_STEPS = 10;

    @Option(
            names = "--load-time",
            paramLabel = "<duration>",
            defaultValue = "300ms",
            converter = DurationConverter.class,
            description = "Duration of the load (default: ${DEFAULT-VALUE}).")
    private Duration loadTime;

    @Option(
            names = "--tokens",
            paramLabel = "<count>",
            defaultValue = "16",
            description = "Number of words of an answer (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(
            names = "--token-delay",
            paramLabel = "<duration>",
            defaultValue = "50ms",
            converter = DurationConverter.class,
            description = "Delay of each word (default: ${DEFAULT-VALUE}).")
    private Duration tokenDelay;

    @Option(
            names = "--crash-after",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Crash this long after becoming ready.")
    private Duration crashAfter;

    @Option(names = "--crash-while-loading", description = "Crash in the middle of the load.")
    private boolean crashWhileLoading;

    @Option(
            names = "--exit-code",
            paramLabel = "<code>",
            defaultValue = "1",
            description = "The exit code of a crash (default: ${DEFAULT-VALUE}).")
    private int exitCode;

    @Option(
            names = "--hang-health-after",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Stop answering health checks this long after becoming ready.")
    private Duration hangHealthAfter;

    @Option(names = "--hang-while-loading", description = "Stop loading, without output, in the middle of the load.")
    private boolean hangWhileLoading;

    @Option(
            names = "--mute-after",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Stop sending heartbeats this long after becoming ready.")
    private Duration muteAfter;

    @Option(
            names = "--ignore-sigterm",
            description = "Ignore SIGTERM, SIGINT and shutdown requests; only SIGKILL ends it.")
    private boolean ignoreSigterm;

    @Option(names = "--fork", description = "Start a child that keeps running after its exit.")
    private boolean fork;

    @Option(names = "--flood", description = "Write about 10 MB of output per second, without end.")
    private boolean flood;

    private volatile boolean healthHangs;
    private volatile boolean mute;

    int tokens() {
        return tokens;
    }

    Duration tokenDelay() {
        return tokenDelay;
    }

    boolean ignoresRequestsToEnd() {
        return ignoreSigterm;
    }

    boolean healthHangs() {
        return healthHangs;
    }

    boolean isMute() {
        return mute;
    }

    void beginAtStart() throws IOException {
        if (ignoreSigterm) {
            // A signalled JVM waits for its hooks and keeps working meanwhile.
            Runtime.getRuntime().addShutdownHook(new Thread(Behaviour::waitForever));
        }
        if (fork) {
            Process child = new ProcessBuilder("sleep", "86400")
                    .redirectInput(Redirect.from(Redirect.DISCARD.file()))
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start();
            say("started a child, pid " + child.pid());
        }
        if (flood) {
            daemon("flood", Behaviour::flood);
        }
    }

    /** Loads and prints its progress: growing output shows the hive that the load has not stalled. */
    void load() throws InterruptedException {
        for (int step = 1; step <= LOAD_STEPS; step++) {
            Thread.sleep(loadTime.toMillis() / LOAD_STEPS);
            say("loading: " + step * 100 / LOAD_STEPS + " %");
            if (step == LOAD_STEPS / 2) {
                failWhileLoading();
            }
        }
    }

    private void failWhileLoading() {
        if (crashWhileLoading) {
            crash();
        }
        if (hangWhileLoading) {
            say("stops loading");
            waitForever();
        }
    }

    void beginWhenReady() {
        if (hangHealthAfter != null) {
            after(hangHealthAfter, () -> {
                say("stops answering health checks");
                healthHangs = true;
            });
        }
        if (muteAfter != null) {
            after(muteAfter, () -> {
                say("stops sending heartbeats");
                mute = true;
            });
        }
        if (crashAfter != null) {
            after(crashAfter, this::crash);
        }
    }

    private void crash() {
        say("crashes with exit code " + exitCode);
        Runtime.getRuntime().halt(exitCode);
    }

    private static void flood() {
        String line = "x".repeat(999);
        for (int i = 1; ; i++) {
            System.out.println(line);
            if (i % 100 == 0) {
                pause(Duration.ofMillis(10));
            }
        }
    }

    private static void after(Duration delay, Runnable action) {
        daemon("after-" + delay, () -> {
            pause(delay);
            action.run();
        });
    }

    static void daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    static void pause(Duration duration) {
        try {
            Thread.sleep(duration.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static void waitForever() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static void say(String line) {
        System.out.println("demo worker: " + line);
    }
}
