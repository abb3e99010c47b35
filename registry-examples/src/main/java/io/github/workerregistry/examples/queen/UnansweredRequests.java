package io.github.workerregistry.examples.queen;

import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.RequestOptions;
import java.net.ConnectException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tracks the requests in flight at each hive, and ends those that will never be answered.
 *
 * <p>A hive that freezes, or whose machine loses power, closes no connection: its requests would wait for ever. So when
 * a hive has left ZooKeeper, its own address is probed, and if it does not answer, its requests are ended. A hive that
 * has only lost its session keeps working: it answers, is probed again, and keeps its requests. A hive that shuts down
 * gracefully leaves ZooKeeper, accepts no connection, and finishes its requests: so a hive that refuses connections
 * keeps them for {@link #ENDING}. They are ended at once when another run of the hive answers on the same address.
 *
 * <p>While the queen is disconnected from ZooKeeper, no hive leaves and no request is ended. No request is sent again,
 * because it may have reached a worker.
 */
final class UnansweredRequests {

    /** How long a hive that has left may take to answer. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    /** How long a hive that has left and refuses connections may finish its requests. */
    static final Duration ENDING = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(UnansweredRequests.class);
    private static final String HEALTH = "/v1/health";

    /** One run of a hive. */
    private record Run(String node, String url, long incarnation) {
        static Run of(HiveSnapshot hive) {
            return new Run(hive.node(), hive.url(), hive.incarnation());
        }
    }

    private final Fleet fleet;
    private final HttpClient client;
    private final Duration patience;
    private final LongSupplier nanoTime;

    /** The actions that end the requests, by run. */
    private final ConcurrentMap<Run, Set<Runnable>> requests = new ConcurrentHashMap<>();

    private final Set<Run> probing = ConcurrentHashMap.newKeySet();
    private final ConcurrentMap<Run, Long> refusesSince = new ConcurrentHashMap<>();

    /** Creates a tracker for the hives of a fleet. */
    UnansweredRequests(Fleet fleet, HttpClient client, Duration patience, LongSupplier nanoTime) {
        this.fleet = fleet;
        this.client = client;
        this.patience = patience;
        this.nanoTime = nanoTime;
    }

    /**
     * Tracks a request that was sent to a hive.
     *
     * @param end ends the request
     * @return to be called when the request has ended
     */
    Runnable add(ModelView hive, Runnable end) {
        Run run = Run.of(hive.hive());
        requests.compute(run, (unused, others) -> {
            Set<Runnable> all = others == null ? ConcurrentHashMap.newKeySet() : others;
            all.add(end);
            return all;
        });
        return () -> remove(run, end);
    }

    private void remove(Run run, Runnable end) {
        requests.computeIfPresent(run, (unused, those) -> {
            those.remove(end);
            return those.isEmpty() ? null : those;
        });
    }

    /** Ends the requests to hives that have left, or starts to probe such a hive. Called about once a second. */
    void endThoseOfLostHives() {
        refusesSince.keySet().retainAll(requests.keySet());
        for (Run run : requests.keySet()) {
            Optional<Run> known = known(run.node());
            if (known.isEmpty() || !known.get().url().equals(run.url())) {
                probe(run);
            } else if (!known.get().equals(run)) {
                end(run);
            }
        }
    }

    private Optional<Run> known(String node) {
        return fleet.hive(node).map(HiveView::snapshot).map(Run::of);
    }

    private void probe(Run run) {
        if (!probing.add(run)) {
            return;
        }
        URI hive = URI.create(run.url());
        client.request(new RequestOptions()
                        .setHost(hive.getHost())
                        .setPort(hive.getPort())
                        .setURI(HEALTH)
                        .setTimeout(patience.toMillis()))
                .onSuccess(request -> request.exceptionHandler(told -> {}))
                .compose(HttpClientRequest::send)
                .onSuccess(answer ->
                        answer.exceptionHandler(reset -> {}).request().reset()) // only that it answers matters
                .onComplete(answer -> {
                    if (answer.succeeded()
                            || known(run.node()).filter(run::equals).isPresent()) {
                        refusesSince.remove(run);
                    } else if (!mayBeEnding(run, answer.cause())) {
                        end(run);
                    }
                    probing.remove(run);
                });
    }

    private boolean mayBeEnding(Run run, Throwable failure) {
        if (!(failure instanceof ConnectException)) {
            return false;
        }
        long now = nanoTime.getAsLong();
        Long since = refusesSince.putIfAbsent(run, now);
        return since == null || now - since < ENDING.toNanos();
    }

    /** Whether a hive is being probed now. */
    boolean isAsking() {
        return !probing.isEmpty();
    }

    private void end(Run run) {
        List<Runnable> ends = List.copyOf(requests.getOrDefault(run, Set.of()));
        log.info("the hive of node {} at {} was lost with {} unanswered requests", run.node(), run.url(), ends.size());
        ends.forEach(Runnable::run);
    }
}
