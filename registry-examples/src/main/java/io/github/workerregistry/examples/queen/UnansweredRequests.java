package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.Forwarding;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The requests that are at a hive, and the end of those that will never be answered.
 *
 * <p>A hive that freezes, or whose machine loses its power, closes no connection: its requests would wait for ever. So
 * when a hive has gone from ZooKeeper, it is asked on its own address, and if it does not answer there either, its
 * requests end. One that has lost its session alone goes on with its work: it answers, is asked again, and keeps its
 * requests. One that ends in good order leaves ZooKeeper, takes no connection, and does what it has begun: so one that
 * refuses to be asked keeps them for {@link #ENDING}. They end at once when another run of the hive answers on the same
 * address.
 *
 * <p>While the queen has no contact to ZooKeeper, no hive goes, and no request ends. Nor is any sent again: it may have
 * reached a worker.
 */
final class UnansweredRequests {

    /** How long a hive that has gone may take to say that it is there. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    /** How long a hive that has gone, and takes no connection, may be about its end. */
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

    /** What ends each of them. */
    private final ConcurrentMap<Run, Set<Runnable>> requests = new ConcurrentHashMap<>();

    private final Set<Run> asked = ConcurrentHashMap.newKeySet();
    private final ConcurrentMap<Run, Long> refusesSince = new ConcurrentHashMap<>();

    /** Those at the hives of a fleet, each of which is given some time to answer. */
    UnansweredRequests(Fleet fleet, HttpClient client, Duration patience, LongSupplier nanoTime) {
        this.fleet = fleet;
        this.client = client;
        this.patience = patience;
        this.nanoTime = nanoTime;
    }

    /** Takes a request that has been sent to a hive, and keeps it until it has ended. */
    void add(ModelView hive, CompletableFuture<?> request) {
        Run run = Run.of(hive.hive());
        Runnable end = () -> request.cancel(true);
        requests.compute(run, (unused, others) -> {
            Set<Runnable> all = others == null ? ConcurrentHashMap.newKeySet() : others;
            all.add(end);
            return all;
        });
        CompletableFuture<?> unused = request.whenComplete((answer, failure) -> remove(run, end));
    }

    private void remove(Run run, Runnable end) {
        requests.computeIfPresent(run, (unused, those) -> {
            those.remove(end);
            return those.isEmpty() ? null : those;
        });
    }

    /** Ends the requests to hives that have gone, or begins to ask such a hive. To be called about once a second. */
    void endThoseOfLostHives() {
        refusesSince.keySet().retainAll(requests.keySet());
        for (Run run : requests.keySet()) {
            Optional<Run> known = known(run.node());
            if (known.isEmpty() || !known.get().url().equals(run.url())) {
                ask(run);
            } else if (!known.get().equals(run)) {
                end(run);
            }
        }
    }

    private Optional<Run> known(String node) {
        return fleet.hive(node).map(HiveView::snapshot).map(Run::of);
    }

    private void ask(Run run) {
        if (!asked.add(run)) {
            return;
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(run.url() + HEALTH))
                .timeout(patience)
                .build();
        CompletableFuture<?> unused = client.sendAsync(request, answer -> new DiscardedAnswer())
                .whenComplete((answer, failure) -> {
                    if (failure == null || known(run.node()).filter(run::equals).isPresent()) {
                        refusesSince.remove(run);
                    } else if (!mayBeEnding(run, failure)) {
                        end(run);
                    }
                    asked.remove(run);
                });
    }

    private boolean mayBeEnding(Run run, Throwable failure) {
        if (!(Forwarding.causeOf(failure) instanceof ConnectException)) {
            return false;
        }
        long now = nanoTime.getAsLong();
        Long since = refusesSince.putIfAbsent(run, now);
        return since == null || now - since < ENDING.toNanos();
    }

    /** Whether a hive is being asked at this moment. */
    boolean isAsking() {
        return !asked.isEmpty();
    }

    private void end(Run run) {
        List<Runnable> ends = List.copyOf(requests.getOrDefault(run, Set.of()));
        log.info("the hive of node {} at {} has gone with {} requests unanswered", run.node(), run.url(), ends.size());
        ends.forEach(Runnable::run);
    }
}
