package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * What a worker tells its hive when it has loaded.
 *
 * @param workerId its id
 * @param url where it is reached
 * @param modelRef its model
 * @param backend what it computes on
 * @param device on which of them
 * @param generation which generation of it this is; null if its hive has not said
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record ReadyCall(
        @JsonProperty("worker_id") String workerId,
        String url,
        @JsonProperty("model_ref") String modelRef,
        String backend,
        int device,
        @Nullable Integer generation) {

    /** Tells it, once. If that fails, the hive finds out by asking for the health. */
    void send(URI hive) {
        try {
            int status = HiveCall.post(hive, new ObjectMapper().writeValueAsBytes(this));
            Behaviour.say("told the hive, which answered " + status);
        } catch (IOException e) {
            Behaviour.say("could not tell the hive: " + e);
        }
    }
}
