package io.github.workerregistry.examples.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The endpoints of OpenAI's API: chat completions and completions, plain or as a stream, and embeddings. */
final class OpenAiApi {

    private static final int DIMENSIONS = 8;

    private final Behaviour behaviour;
    private final Semaphore slots;
    private final BooleanSupplier loaded;

    OpenAiApi(Behaviour behaviour, Semaphore slots, BooleanSupplier loaded) {
        this.behaviour = behaviour;
        this.slots = slots;
        this.loaded = loaded;
    }

    void addTo(HttpServer server) {
        server.createContext("/v1/chat/completions", inSlot((exchange, request) -> complete(exchange, request, true)));
        server.createContext("/v1/completions", inSlot((exchange, request) -> complete(exchange, request, false)));
        server.createContext("/v1/embeddings", inSlot(this::embed));
    }

    /** An endpoint that has read its request and holds a slot. */
    private interface Endpoint {
        void answer(HttpExchange exchange, OpenAiRequest request) throws IOException;
    }

    private HttpHandler inSlot(Endpoint endpoint) {
        return exchange -> {
            JsonNode json;
            try {
                json = Answers.JSON.readTree(exchange.getRequestBody());
            } catch (JacksonException e) {
                Answers.fail(exchange, 400, "invalid_json", "the body is not valid JSON");
                return;
            }
            OpenAiRequest request = OpenAiRequest.of(json);
            if (!loaded.getAsBoolean()) {
                Answers.fail(exchange, 503, "loading", "the model is loading");
            } else if (request.input().isEmpty()) {
                Answers.fail(exchange, 400, "invalid_request", "messages, prompt or input is missing");
            } else {
                slots.acquireUninterruptibly();
                try {
                    endpoint.answer(exchange, request);
                } catch (IOException e) {
                    Behaviour.say("a client disconnected before its answer was complete");
                } finally {
                    slots.release();
                }
            }
        };
    }

    private void complete(HttpExchange exchange, OpenAiRequest request, boolean chat) throws IOException {
        int count = Math.max(1, Math.min(behaviour.tokens(), request.mostTokens()));
        String finish = count < behaviour.tokens() ? "length" : "stop";
        String id = (chat ? "chatcmpl-" : "cmpl-") + UUID.randomUUID();
        if (request.streamed()) {
            stream(exchange, request, id, chat, count, finish);
            return;
        }
        List<String> words = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Behaviour.pause(behaviour.tokenDelay());
            words.add(Answers.word(request.input().get(0), i));
        }
        String text = String.join(" ", words);
        Map<String, Object> choice = chat
                ? choice("message", Map.of("role", "assistant", "content", text), finish)
                : choice("text", text, finish);
        Map<String, Object> answer = object(id, chat ? "chat.completion" : "text_completion", request, choice);
        answer.put("usage", usage(count));
        Answers.send(exchange, 200, answer);
    }

    /** Each word when it is due, as server-sent events. */
    private void stream(HttpExchange exchange, OpenAiRequest request, String id, boolean chat, int count, String finish)
            throws IOException {
        String type = chat ? "chat.completion.chunk" : "text_completion";
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0); // 0: chunked
        try (OutputStream out = exchange.getResponseBody()) {
            for (int i = 0; i < count; i++) {
                Behaviour.pause(behaviour.tokenDelay());
                String text = (i == 0 ? "" : " ") + Answers.word(request.input().get(0), i);
                event(out, object(id, type, request, piece(chat, text, null)));
            }
            event(out, object(id, type, request, piece(chat, "", finish)));
            if (request.withUsage()) {
                Map<String, Object> last = object(id, type, request, Map.of());
                last.put("choices", List.of());
                last.put("usage", usage(count));
                event(out, last);
            }
            out.write("data: [DONE]\n\n".getBytes(UTF_8));
        }
    }

    private static Map<String, Object> piece(boolean chat, String text, @Nullable String finish) {
        return chat
                ? choice("delta", Map.of("role", "assistant", "content", text), finish)
                : choice("text", text, finish);
    }

    private static Map<String, Object> choice(String name, Object content, @Nullable String finish) {
        Map<String, Object> choice = new LinkedHashMap<>();
        choice.put("index", 0);
        choice.put(name, content);
        choice.put("logprobs", null);
        choice.put("finish_reason", finish);
        return choice;
    }

    private static Map<String, Object> object(String id, String type, OpenAiRequest request, Object choice) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("id", id);
        object.put("object", type);
        object.put("created", System.currentTimeMillis() / 1000);
        object.put("model", request.model());
        object.put("choices", List.of(choice));
        return object;
    }

    private static Map<String, Integer> usage(int count) {
        return Map.of("prompt_tokens", 1, "completion_tokens", count, "total_tokens", 1 + count);
    }

    private void embed(HttpExchange exchange, OpenAiRequest request) throws IOException {
        Behaviour.pause(behaviour.tokenDelay());
        List<Map<String, Object>> data = new ArrayList<>();
        for (String text : request.input()) {
            data.add(
                    Map.of("object", "embedding", "index", data.size(), "embedding", request.encoded(embedding(text))));
        }
        int tokens = request.input().size();
        Answers.send(
                exchange,
                200,
                Map.of(
                        "object",
                        "list",
                        "model",
                        request.model(),
                        "data",
                        data,
                        "usage",
                        Map.of("prompt_tokens", tokens, "total_tokens", tokens)));
    }

    /** The same for equal texts. */
    private static float[] embedding(String text) {
        float[] embedding = new float[DIMENSIONS];
        for (int i = 0; i < DIMENSIONS; i++) {
            embedding[i] = ((text.hashCode() >> (4 * i)) & 15) / 16f;
        }
        return embedding;
    }

    private static void event(OutputStream out, Map<String, ?> object) throws IOException {
        out.write(("data: " + Answers.JSON.writeValueAsString(object) + "\n\n").getBytes(UTF_8));
        out.flush();
    }
}
