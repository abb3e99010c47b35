package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
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

    private static final int TIMEOUT_MILLIS = 5_000;

    /** Tells it, once. If that fails, the hive finds out by asking for the health. */
    void send(URI hive) {
        try {
            // For this one call, the threads of an HttpClient would not be worth their start.
            HttpURLConnection call = (HttpURLConnection) hive.toURL().openConnection(Proxy.NO_PROXY);
            call.setConnectTimeout(TIMEOUT_MILLIS);
            call.setReadTimeout(TIMEOUT_MILLIS);
            call.setDoOutput(true);
            call.setRequestProperty("Content-Type", "application/json");
            try (OutputStream body = call.getOutputStream()) {
                new ObjectMapper().writeValue(body, this);
            }
            Behaviour.say("told the hive, which answered " + call.getResponseCode());
        } catch (IOException e) {
            Behaviour.say("could not tell the hive: " + e);
        }
    }
}
