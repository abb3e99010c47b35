package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** Asks a worker to end by itself, before any signal is sent. */
@FunctionalInterface
public interface StopRequest {

    /** How long {@link #post} waits for an answer. */
    Duration TIMEOUT = Duration.ofSeconds(10);

    /**
     * Starts to ask, and returns at once: called on any thread, with no lock held, so it must not block.
     *
     * @param worker the worker, in state Stopping
     * @return a stage that completes with whether the worker will end by itself; with false, or exceptionally, SIGTERM
     *     follows at once, else when half of the grace is over
     */
    CompletionStage<Boolean> ask(WorkerInfo worker);

    /**
     * Asks with an empty {@code POST <worker url><path>}; any 2xx within {@link #TIMEOUT} is a yes.
     *
     * @param path the path, starting with {@code /}
     * @param client the client to use, and its threads
     * @return the request
     * @throws IllegalArgumentException if the path does not start with {@code /} or is no part of a valid URI, or the
     *     client follows redirects
     */
    static StopRequest post(String path, HttpClient client) {
        requireNonNull(path, "path");
        requireNonNull(client, "client");
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("path must start with /, was " + path);
        }
        URI.create("http://127.0.0.1" + path); // an illegal path fails here, and not at each stop
        if (client.followRedirects() != HttpClient.Redirect.NEVER) {
            throw new IllegalArgumentException("client must not follow redirects, was " + client.followRedirects());
        }
        return worker -> client.sendAsync(
                        HttpRequest.newBuilder(URI.create(worker.url() + path))
                                .version(HttpClient.Version.HTTP_1_1)
                                .timeout(TIMEOUT)
                                .POST(HttpRequest.BodyPublishers.noBody())
                                .build(),
                        BodyHandlers.discarding())
                .thenApply(response -> response.statusCode() / 100 == 2);
    }
}
