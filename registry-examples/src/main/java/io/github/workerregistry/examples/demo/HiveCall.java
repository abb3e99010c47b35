package io.github.workerregistry.examples.demo;

import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;

/**
 * A request from the worker to its hive. Uses no HttpClient, whose threads are not worth their start for so few
 * requests.
 */
final class HiveCall {

    private static final int TIMEOUT_MILLIS = 5_000;

    private HiveCall() {}

    /** Posts a body, JSON or empty, and returns the status of the response. */
    static int post(URI target, byte[] body) throws IOException {
        HttpURLConnection call = (HttpURLConnection) target.toURL().openConnection(Proxy.NO_PROXY);
        call.setConnectTimeout(TIMEOUT_MILLIS);
        call.setReadTimeout(TIMEOUT_MILLIS);
        call.setDoOutput(true);
        call.setRequestProperty("Content-Type", "application/json");
        try (OutputStream out = call.getOutputStream()) {
            out.write(body);
        }
        return call.getResponseCode();
    }
}
