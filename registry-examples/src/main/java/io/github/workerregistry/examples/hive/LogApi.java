package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.LiveStream;
import io.github.workerregistry.examples.http.LiveStreams;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.util.List;
import java.util.stream.Collectors;

/** The output of a worker: its last lines, and with {@code follow} those that it writes from then on. */
final class LogApi {

    private static final int MOST_LINES = 1_000;
    private static final String DEFAULT_LINES = "100";

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final LiveStreams streams;

    LogApi(WorkerRegistry registry, WorkerSupervisor supervisor, LiveStreams streams) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.streams = streams;
    }

    void open(Exchange exchange) {
        String id = registry.get(exchange.path("id"))
                .orElseThrow(Refusal::noSuchWorker)
                .id();
        int lines = lines(exchange.query("lines").orElse(DEFAULT_LINES));
        boolean follow =
                exchange.query("follow").filter(value -> !value.equals("false")).isPresent();
        LiveStream stream = streams.open(exchange, "text/plain; charset=utf-8", "");
        if (follow) {
            LogFollower follower = new LogFollower(stream);
            exchange.onEnd(supervisor.follow(id, follower, exchange::execute)::close);
            stream.compute(() -> supervisor.output(id, lines), follower::begin);
        } else {
            stream.compute(() -> supervisor.output(id, lines), last -> {
                stream.write(text(last));
                stream.end();
            });
        }
    }

    static String text(List<String> lines) {
        return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
    }

    private static int lines(String value) {
        if (!value.matches("[1-9]\\d{0,3}") || Integer.parseInt(value) > MOST_LINES) {
            throw Refusal.invalid("lines must be a number from 1 to " + MOST_LINES);
        }
        return Integer.parseInt(value);
    }
}
