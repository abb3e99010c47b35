package io.github.workerregistry.examples.faults;

import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/** The process of a worker as the target of a fault, accessed without the library. */
final class Victim {

    private static final int TIMEOUT_MILLIS = 5000;

    private final ProcessHandle process;
    private final String url;

    private Victim(ProcessHandle process, String url) {
        this.process = process;
        this.url = url;
    }

    /** The current process of a worker; empty if it has exited. */
    static Optional<Victim> of(WorkerInfo worker) {
        return worker.pid().isPresent()
                ? ProcessHandle.of(worker.pid().getAsLong()).map(process -> new Victim(process, worker.url()))
                : Optional.empty();
    }

    boolean kill() {
        return process.destroyForcibly();
    }

    boolean pause() {
        return signal("STOP");
    }

    boolean resume() {
        return signal("CONT");
    }

    private boolean signal(String name) {
        if (!process.isAlive()) {
            return false;
        }
        try {
            return new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                            .redirectOutput(Redirect.DISCARD)
                            .redirectError(Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Sets its answer to health checks; false if it cannot be reached. */
    boolean answer(int status, long millis) {
        return request("/answer/" + status + "/" + millis);
    }

    /** Stops its heartbeats; false if it cannot be reached. */
    boolean mute() {
        return request("/mute");
    }

    private boolean request(String path) {
        return answers(url + path, TIMEOUT_MILLIS);
    }

    /** Whether the worker at this url answers a request in time. */
    static boolean answers(String url, Duration timeout) {
        return answers(url + "/health", (int) timeout.toMillis());
    }

    private static boolean answers(String url, int timeoutMillis) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create(url).toURL().openConnection();
            connection.setConnectTimeout(timeoutMillis);
            connection.setReadTimeout(timeoutMillis);
            try {
                return connection.getResponseCode() == 200;
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return false;
        }
    }
}
