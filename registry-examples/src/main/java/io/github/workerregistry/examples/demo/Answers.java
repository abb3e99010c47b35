package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The answers of the demo worker, and the words that they are made of. */
final class Answers {

    static final ObjectMapper JSON = new ObjectMapper();

    private static final List<String> WORDS =
            List.of("you", "said", "it", "well", "and", "there", "is", "more", "to", "say");

    private Answers() {}

    /** Word {@code i} of an answer, which begins with the prompt. */
    static String word(String prompt, int i) {
        return i == 0 ? prompt : WORDS.get((i - 1) % WORDS.size());
    }

    static void send(HttpExchange exchange, int status, Map<String, ?> object) throws IOException {
        byte[] body = JSON.writeValueAsBytes(object);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    /** An error of OpenAI's API. */
    static void fail(HttpExchange exchange, int status, String code, String message) throws IOException {
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("message", message);
        error.put("type", status >= 500 ? "server_error" : "invalid_request_error");
        error.put("param", null);
        error.put("code", code);
        send(exchange, status, Map.of("error", error));
    }
}
