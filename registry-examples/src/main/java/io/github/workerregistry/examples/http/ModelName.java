package io.github.workerregistry.examples.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads the model that a JSON body names. Only as far as that: the rest of the body is for the worker. */
public final class ModelName {

    private static final String OURS = "model_ref";
    private static final String OPENAI = "model";
    private static final JsonFactory JSON = new JsonFactory();

    private ModelName() {}

    /**
     * The model that a body names: its field {@code model_ref}, else {@code model}.
     *
     * @param body the body, or its first part
     * @return the name
     * @throws Refusal if there is none, or the body is no JSON object
     */
    public static String of(RequestBody body) {
        String model = null;
        try (JsonParser json = JSON.createParser(body.bytes())) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new Refusal(400, "malformed_json", "the body must be a JSON object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                if (field.equals(OURS) && value != JsonToken.VALUE_NULL) {
                    return name(json, field);
                }
                if (field.equals(OPENAI) && value != JsonToken.VALUE_NULL) {
                    model = name(json, field);
                }
                json.skipChildren();
            }
        } catch (JsonEOFException e) {
            if (body.isComplete()) {
                throw malformed(e);
            }
        } catch (JacksonException e) {
            throw malformed(e);
        } catch (IOException e) { // no character set
            throw new Refusal(400, "malformed_json", "the body is no valid JSON");
        }
        return required(model, body);
    }

    private static String name(JsonParser json, String field) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_STRING) {
            throw Refusal.invalid(field + " must be a string");
        }
        return Fields.requireName(json.getText(), field);
    }

    private static String required(@Nullable String model, RequestBody body) {
        if (model != null) {
            return model;
        }
        if (body.isComplete()) {
            throw Refusal.invalid("model or model_ref is missing");
        }
        throw new Refusal(
                413,
                "model_too_late",
                "model or model_ref must be within the first " + RequestBody.LIMIT + " bytes of the body");
    }

    private static Refusal malformed(JacksonException e) {
        return new Refusal(400, "malformed_json", "the body is no valid JSON: " + e.getOriginalMessage());
    }
}
