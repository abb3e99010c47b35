package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/** The demo worker's HTTP server: health, execute, OpenAI's endpoints, shutdown, and an echo. */
final class DemoServer {

    private final Behaviour behaviour;
    private final Semaphore slots;
    private volatile boolean loaded;

    private DemoServer(int slots, Behaviour behaviour) {
        this.behaviour = behaviour;
        this.slots = new Semaphore(slots);
    }

    /** Starts listening; answers that it is loading until {@link #loaded()}. */
    static DemoServer listen(int port, int slots, Behaviour behaviour) throws IOException {
        DemoServer demo = new DemoServer(slots, behaviour);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/v1/health", demo::health);
        server.createContext("/v1/execute", demo::execute);
        server.createContext("/v1/admin/shutdown", demo::shutdown);
        new OpenAiApi(behaviour, demo.slots, () -> demo.loaded).addTo(server);
        server.createContext("/", demo::echo);
        server.start();
        return demo;
    }

    void loaded() {
        loaded = true;
        Behaviour.say("ready");
    }

    private void health(HttpExchange exchange) throws IOException {
        if (behaviour.healthHangs()) {
            Behaviour.waitForever();
        }
        Answers.send(exchange, loaded ? 200 : 503, Map.of("status", loaded ? "ok" : "loading"));
    }

    /** Answers one JSON object per line, each when it is due: words, then the end. Waits for a slot if necessary. */
    private void execute(HttpExchange exchange) throws IOException {
        JsonNode request = Answers.JSON.readTree(exchange.getRequestBody());
        if (!loaded) {
            Answers.send(exchange, 503, Map.of("error", "loading"));
            return;
        }
        slots.acquireUninterruptibly();
        try {
            Behaviour.pause(behaviour.tokenDelay());
            exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
            exchange.sendResponseHeaders(200, 0); // 0: chunked
            try (OutputStream answer = exchange.getResponseBody()) {
                line(answer, Map.of("token", request.path("prompt").asText("Hello")));
                for (int i = 1; i < behaviour.tokens(); i++) {
                    Behaviour.pause(behaviour.tokenDelay());
                    line(answer, Map.of("token", Answers.word("", i)));
                }
                line(answer, Map.of("done", true));
            }
        } catch (IOException e) {
            Behaviour.say("a client disconnected before its answer was complete");
        } finally {
            slots.release();
        }
    }

    /** Answers what it received, so that one sees what a hive forwards. */
    private void echo(HttpExchange exchange) throws IOException {
        int length = exchange.getRequestBody().readAllBytes().length;
        Answers.send(
                exchange,
                200,
                Map.of(
                        "method", exchange.getRequestMethod(),
                        "uri", exchange.getRequestURI().toString(),
                        "headers", exchange.getRequestHeaders(),
                        "body_bytes", length));
    }

    private void shutdown(HttpExchange exchange) throws IOException {
        if (behaviour.ignoresRequestsToEnd()) {
            Answers.send(exchange, 503, Map.of("error", "no"));
            return;
        }
        Behaviour.say("received a shutdown request");
        Answers.send(exchange, 200, Map.of("message", "bye"));
        Runtime.getRuntime().halt(0);
    }

    private static void line(OutputStream out, Map<String, ?> object) throws IOException {
        out.write(Answers.JSON.writeValueAsBytes(object));
        out.write('\n');
        out.flush();
    }
}
