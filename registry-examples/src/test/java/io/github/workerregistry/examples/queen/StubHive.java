package io.github.workerregistry.examples.queen;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A stub that answers as a hive, optionally with faults. */
final class StubHive implements AutoCloseable {

    /** How it handles a request. */
    interface Behaviour {
        void handle(HttpExchange exchange) throws IOException;
    }

    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger probes = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    StubHive(Behaviour behaviour) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/v1/execute", exchange -> {
            requests.incrementAndGet();
            try (exchange) {
                exchange.getRequestBody().readAllBytes();
                behaviour.handle(exchange);
            }
        });
        server.createContext("/v1/health", exchange -> {
            probes.incrementAndGet();
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
    }

    /** A stub that answers every request alike. */
    static StubHive answering(int status, String body) throws IOException {
        return new StubHive(exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            if (status == 200) {
                exchange.getResponseHeaders().set("X-Worker", "w");
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        });
    }

    /** A stub that answers when its work is done. */
    static StubHive answeringAfter(CountDownLatch work, String body) throws IOException {
        return new StubHive(exchange -> {
            try {
                work.await();
            } catch (InterruptedException e) {
                return; // closed
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        });
    }

    /** A stub that closes the connection without a response, as if it had been killed. */
    static StubHive closingAtOnce() throws IOException {
        return new StubHive(exchange -> {});
    }

    /** A stub that closes the connection after the start of its response. */
    @SuppressWarnings("resource") // it must not close gracefully
    static StubHive closingDuringTheResponse() throws IOException {
        return new StubHive(exchange -> {
            exchange.sendResponseHeaders(200, 100);
            OutputStream answer = exchange.getResponseBody();
            answer.write("begun".getBytes(StandardCharsets.UTF_8));
            answer.flush();
        });
    }

    /** A stub without a free slot whose refusal is very long or very slow, until the queen closes the connection. */
    @SuppressWarnings("resource") // never closed
    static StubHive refusingAtLength(int piece, int pauseMillis, CountDownLatch disconnected) throws IOException {
        return new StubHive(exchange -> {
            exchange.sendResponseHeaders(503, 0);
            OutputStream answer = exchange.getResponseBody();
            try {
                for (int pieces = 0; pieces < 2000; pieces++) {
                    answer.write(new byte[piece]);
                    answer.flush();
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pauseMillis));
                }
            } catch (IOException e) {
                disconnected.countDown();
            }
        });
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    int requests() {
        return requests.get();
    }

    /** Number of health probes. */
    int probes() {
        return probes.get();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
