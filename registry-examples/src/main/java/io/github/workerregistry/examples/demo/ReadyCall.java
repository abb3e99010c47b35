package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * The ready call of a worker to its hive, sent when it has loaded.
 *
 * @param workerId its id
 * @param url its url
 * @param modelRef its model
 * @param backend its backend
 * @param device the index of its device
 * @param generation its generation; null if its hive has not set it
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record ReadyCall(
        @JsonProperty("worker_id") String workerId,
        String url,
        @JsonProperty("model_ref") String modelRef,
        String backend,
        int device,
        @Nullable Integer generation) {

    /** Sends it once. If that fails, the hive detects readiness by its health probe. */
    void send(URI hive) {
        try {
            int status = HiveCall.post(hive, new ObjectMapper().writeValueAsBytes(this));
            Behaviour.say("sent the ready call to the hive, which answered " + status);
        } catch (IOException e) {
            Behaviour.say("could not send the ready call to the hive: " + e);
        }
    }
}
