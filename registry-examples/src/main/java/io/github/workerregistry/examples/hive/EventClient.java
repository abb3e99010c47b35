package io.github.workerregistry.examples.hive;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.LiveStream;
import io.github.workerregistry.pool.WorkerPool;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;

/**
 * A client of the events. Those that happen while a snapshot is made follow it. One that lost events receives
 * {@code overflowed} and another snapshot. Used on the event loop of its exchange.
 */
final class EventClient {

    private static final long USAGE_MILLIS = 1_000;
    private static final int MOST_HELD = 1_000;

    private final EventsApi events;
    private final Exchange exchange;
    private final LiveStream stream;
    private final Queue<Object> held = new ArrayDeque<>();
    private Optional<Usage.Reading> lastUsage = Optional.empty();
    private boolean holding;
    private long dropped;

    EventClient(EventsApi events, Exchange exchange, LiveStream stream) {
        this.events = events;
        this.exchange = exchange;
        this.stream = stream;
    }

    void start(WorkerRegistry registry, Optional<WorkerPool> pool) {
        until(registry.subscribe(this::onEvent, exchange::execute));
        pool.ifPresent(pooled -> until(pooled.subscribe(event -> send(EventJson.of(event)), exchange::execute)));
        stream.onCaughtUp(this::overflowed);
        stream.write("retry: 2000\n\n");
        snapshot();
        stream.every(USAGE_MILLIS, () -> stream.compute(events::usage, this::use));
    }

    private void until(Subscription subscription) {
        exchange.onEnd(subscription::close);
    }

    private void onEvent(WorkerEvent event) {
        if (event instanceof WorkerEvent.Overflowed lost) {
            overflowed(lost.dropped());
        } else {
            send(EventJson.of(event, events.now()));
        }
    }

    private void use(Usage.Reading reading) {
        if (!lastUsage.equals(Optional.of(reading))) {
            lastUsage = Optional.of(reading);
            send(reading);
        }
    }

    private void overflowed(long events) {
        dropped += events;
        if (!holding) {
            snapshot();
        }
    }

    private void snapshot() {
        holding = true;
        if (dropped > 0) {
            Map<String, Object> overflowed = EventJson.of("overflowed");
            overflowed.put("dropped", dropped);
            dropped = 0;
            write(overflowed);
        }
        stream.compute(events::snapshot, json -> {
            holding = false;
            write(json);
            for (Object event = held.poll(); event != null; event = held.poll()) {
                write(event);
            }
            if (dropped > 0) {
                snapshot();
            }
        });
    }

    private void send(Object event) {
        if (!holding) {
            write(event);
        } else if (held.size() < MOST_HELD) {
            held.add(event);
        } else {
            dropped++;
        }
    }

    private void write(Object event) {
        try {
            stream.write("data: " + JsonServer.JSON.writeValueAsString(event) + "\n\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
