package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;

/**
 * What a worker tells its hive when it has loaded.
 *
 * @param workerId its id
 * @param url where it is reached
 * @param modelRef its model
 * @param backend what it computes on
 * @param device on which of them
 */
record ReadyCall(
        @JsonProperty("worker_id") String workerId,
        String url,
        @JsonProperty("model_ref") String modelRef,
        String backend,
        int device) {

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
