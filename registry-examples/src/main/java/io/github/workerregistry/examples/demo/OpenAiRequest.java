package io.github.workerregistry.examples.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * What the demo worker reads of a request of OpenAI's API.
 *
 * @param model the model
 * @param input the prompt, the last message, or the texts to embed; empty if there is none
 * @param mostTokens the number of words to answer with at most
 * @param streamed whether the answer is a stream
 * @param withUsage whether a stream ends with the number of tokens
 * @param base64 whether embeddings are sent in base64
 */
record OpenAiRequest(
        String model, List<String> input, int mostTokens, boolean streamed, boolean withUsage, boolean base64) {

    static OpenAiRequest of(JsonNode json) {
        int most =
                json.path("max_completion_tokens").asInt(json.path("max_tokens").asInt(Integer.MAX_VALUE));
        return new OpenAiRequest(
                json.path("model").asText("demo"),
                input(json),
                most,
                json.path("stream").asBoolean(),
                json.at("/stream_options/include_usage").asBoolean(),
                json.path("encoding_format").asText().equals("base64"));
    }

    /** An embedding as its client asks for it: its numbers, or base64 of them. */
    Object encoded(float[] embedding) {
        if (!base64) {
            return embedding;
        }
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * embedding.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(embedding);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    private static List<String> input(JsonNode json) {
        JsonNode messages = json.path("messages");
        if (messages.isArray() && !messages.isEmpty()) {
            JsonNode content = messages.get(messages.size() - 1).path("content");
            return List.of(content.isArray() ? content.path(0).path("text").asText() : content.asText());
        }
        JsonNode given = json.has("prompt") ? json.get("prompt") : json.path("input");
        List<String> texts = new ArrayList<>();
        if (given.isTextual()) {
            texts.add(given.asText());
        }
        given.forEach(text -> texts.add(text.asText())); // of an array; a text has no elements
        return texts;
    }
}
