package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.pool.PoolEvent;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Events in JSON: the field {@code type}, and what the event has. */
final class EventJson {

    private EventJson() {}

    static Map<String, Object> of(String type) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("type", type);
        return json;
    }

    /** An event of the {@link WorkerRegistry}. */
    static Map<String, Object> of(WorkerEvent event, Instant now) {
        Map<String, Object> json = of(type(event));
        if (event instanceof WorkerEvent.OfWorker ofWorker) {
            json.put("worker", WorkerJson.of(ofWorker.worker(), now));
        }
        if (event instanceof WorkerEvent.Crashed crashed) {
            json.put("exit", ExitJson.of(crashed.exit()));
        } else if (event instanceof WorkerEvent.Removed removed) {
            json.put("cause", lower(removed.cause()));
            removed.exit().ifPresent(exit -> json.put("exit", ExitJson.of(exit)));
        } else if (event instanceof WorkerEvent.RestartScheduled restart) {
            json.put("attempt", restart.attempt());
            json.put("retry_at", restart.retryAt().toString());
        } else if (event instanceof WorkerEvent.StopStarted stop) {
            json.put("reason", lower(stop.reason()));
        } else if (event instanceof WorkerEvent.Suspected suspected) {
            json.put("reason", lower(suspected.reason()));
        } else if (event instanceof WorkerEvent.Overflowed overflowed) {
            json.put("dropped", overflowed.dropped());
        }
        return json;
    }

    /** An event of the pool. */
    static Map<String, Object> of(PoolEvent event) {
        Map<String, Object> json = of(type(event));
        json.put("model_ref", event.modelRef());
        if (event instanceof PoolEvent.LoadStarted started) {
            json.put("worker_id", started.workerId());
        } else if (event instanceof PoolEvent.Loaded loaded) {
            json.put("worker_id", loaded.worker().id());
            json.put("load_ms", loaded.loadTime().toMillis());
        } else if (event instanceof PoolEvent.LoadFailed failed) {
            json.put("worker_id", failed.workerId());
            failed.exit().ifPresent(exit -> json.put("exit", ExitJson.of(exit)));
            failed.retryAt().ifPresent(at -> json.put("retry_at", at.toString()));
        } else if (event instanceof PoolEvent.LoadCancelled cancelled) {
            json.put("worker_id", cancelled.worker().id());
            json.put("for_model", cancelled.forModel());
        } else if (event instanceof PoolEvent.Evicted evicted) {
            json.put("worker_id", evicted.worker().id());
            json.put("for_model", evicted.forModel());
            json.put("reason", lower(evicted.reason()));
        } else if (event instanceof PoolEvent.Refused refused) {
            json.put("requests", refused.requests());
            json.put("why", refused.why());
        }
        return json;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static String type(Object event) {
        return event.getClass().getSimpleName().replaceAll("(?<=.)[A-Z]", "_$0").toLowerCase(Locale.ROOT);
    }
}
