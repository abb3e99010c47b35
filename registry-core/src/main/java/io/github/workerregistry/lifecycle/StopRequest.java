package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.requirePath;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Asks a worker to exit before any signal is sent.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface StopRequest {

    /**
     * Sends the request. Called on any thread, with no lock held; must not block.
     *
     * @param worker the worker, in state Stopping
     * @return a stage that completes with whether the worker will exit; after false or an exception, SIGTERM follows at
     *     once, otherwise after half of the grace period
     */
    CompletionStage<Boolean> ask(WorkerInfo worker);

    /**
     * Asks by an empty {@code POST <worker url><path>}; any 2xx within 10 s means true.
     *
     * @param path the path, starting with {@code /}
     * @param client the HTTP client
     * @return the request
     * @throws IllegalArgumentException if the path does not start with {@code /} or makes the URI invalid, or the
     *     client follows redirects
     */
    static StopRequest post(String path, HttpClient client) {
        requireNonNull(path, "path");
        requireNonNull(client, "client");
        requirePath(path); // an illegal path fails here, not at each stop
        if (client.followRedirects() != HttpClient.Redirect.NEVER) {
            throw new IllegalArgumentException("client must not follow redirects, was " + client.followRedirects());
        }
        return worker -> client.sendAsync(
                        HttpRequest.newBuilder(URI.create(worker.url() + path))
                                .version(HttpClient.Version.HTTP_1_1)
                                .timeout(Duration.ofSeconds(10))
                                .POST(HttpRequest.BodyPublishers.noBody())
                                .build(),
                        BodyHandlers.discarding())
                .thenApply(response -> response.statusCode() / 100 == 2);
    }
}
