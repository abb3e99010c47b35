package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.workerregistry.examples.DurationConverter;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The demo worker as a program: loads for a while, serves requests, sends heartbeats, and exits on request.
 *
 * <p>A model_ref such as {@code demo:ignore-sigterm,load-time=2s} is read as the options {@code --ignore-sigterm
 * --load-time=2s}, so that a client of a running hive can start a worker that misbehaves.
 */
@Command(
        name = "demo-worker",
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 110,
        description = "Behaves like an LLM server, optionally with faults.%n",
        footer = {
            "",
            "A model_ref such as demo:ignore-sigterm,load-time=2s is read as --ignore-sigterm --load-time=2s.",
            "Durations are as in Hive: 500ms, 2s, 5m."
        })
public final class DemoWorker implements Callable<Integer> {

    private static final String OPTIONS_IN_MODEL = "demo:";

    @Option(names = "--id", paramLabel = "<id>", required = true, description = "The worker's id.")
    private String id;

    @Option(
            names = "--port",
            paramLabel = "<port>",
            required = true,
            description = "The port of 127.0.0.1 to listen on.")
    private int port;

    @Option(names = "--model-ref", paramLabel = "<model>", defaultValue = "demo", description = "The model.")
    private String modelRef;

    @Option(names = "--backend", paramLabel = "<backend>", defaultValue = "cpu", description = "The backend.")
    private String backend;

    @Option(names = "--device", paramLabel = "<device>", defaultValue = "0", description = "The index of the device.")
    private int device;

    @Option(
            names = "--slots",
            paramLabel = "<count>",
            defaultValue = "1",
            description = "Maximum number of concurrent requests (default: ${DEFAULT-VALUE}).")
    private int slots;

    @Option(
            names = "--callback-url",
            paramLabel = "<url>",
            description = "The URL to call when it is ready (default: none).")
    private URI callbackUrl;

    @Option(
            names = "--heartbeat-url",
            paramLabel = "<url>",
            description = "The URL for heartbeats once it is ready (default: none).")
    private URI heartbeatUrl;

    @Option(
            names = "--heartbeat-interval",
            paramLabel = "<duration>",
            defaultValue = "5s",
            converter = DurationConverter.class,
            description = "Time from one heartbeat to the next (default: ${DEFAULT-VALUE}).")
    private Duration heartbeatInterval;

    @Mixin
    private Behaviour behaviour;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private DemoWorker() {}

    /**
     * Runs the worker; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        int exitCode = new CommandLine(new DemoWorker())
                .setParameterExceptionHandler(DemoWorker::wrongOption)
                .execute(withOptionsOfModel(args));
        Runtime.getRuntime().halt(exitCode); // not exit, which would wait for the hook of --ignore-sigterm
    }

    /**
     * The command that starts a demo worker, with placeholders that the hive fills in.
     *
     * @return program and arguments
     */
    public static List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Small heap and fast start. A streamed answer must not wait for acknowledgements (Nagle).
        command.addAll(
                List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dsun.net.httpserver.nodelay=true"));
        command.addAll(List.of("-cp", classPath(), DemoWorker.class.getName()));
        Stream.of("id", "port", "model_ref", "backend", "device", "slots", "callback_url", "heartbeat_url")
                .map(name -> "--" + name.replace('_', '-') + "={" + name + "}")
                .forEach(command::add);
        command.add("--heartbeat-interval={heartbeat_ms}ms");
        return List.copyOf(command);
    }

    /** The class path of a worker. The property {@code java.class.path} may be that of Maven. */
    private static String classPath() {
        return Stream.of(DemoWorker.class, CommandLine.class, ObjectMapper.class, JsonFactory.class, JsonProperty.class)
                .map(DemoWorker::codeSource)
                .distinct()
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String codeSource(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("the code source of " + type + " cannot be determined", e);
        }
    }

    /** The generation of this worker, if the hive has set it. */
    private static @Nullable Integer generation() {
        String generation = System.getenv("WORKER_GENERATION");
        return generation == null ? null : Integer.valueOf(generation);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        behaviour.beginAtStart();
        DemoServer server = DemoServer.listen(port, slots, behaviour);
        behaviour.load();
        server.loaded();
        if (callbackUrl != null) {
            new ReadyCall(id, "http://127.0.0.1:" + port, modelRef, backend, device, generation()).send(callbackUrl);
        }
        if (heartbeatUrl != null) {
            new Heartbeats(heartbeatUrl, heartbeatInterval, behaviour).begin();
        }
        behaviour.beginWhenReady();
        new CountDownLatch(1).await(); // until a signal or a shutdown request
        return 0;
    }

    /** On one line, so that it is among the last lines that the hive keeps. */
    private static int wrongOption(CommandLine.ParameterException e, String[] args) {
        Behaviour.say(e.getMessage());
        return CommandLine.ExitCode.USAGE;
    }

    private static String[] withOptionsOfModel(String[] args) {
        String prefix = "--model-ref=" + OPTIONS_IN_MODEL;
        Stream<String> more = Stream.of(args)
                .filter(arg -> arg.startsWith(prefix))
                .flatMap(arg -> Stream.of(arg.substring(prefix.length()).split(",")))
                .filter(option -> !option.isBlank())
                .map(option -> "--" + option.strip());
        return Stream.concat(Stream.of(args), more).toArray(String[]::new);
    }
}
