package io.github.workerregistry.examples.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** The fields of a JSON object from a client. A {@link Refusal} names an invalid field and the reason. */
public final class Fields {

    /** A larger number is probably a typing error. */
    private static final int MOST_SLOTS = 65_536;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final JsonNode object;

    private Fields(JsonNode object) {
        this.object = object;
    }

    /**
     * Reads a body.
     *
     * @param body what the client sent
     * @return its fields
     * @throws Refusal if it is not a JSON object
     */
    public static Fields parse(byte[] body) {
        JsonNode json;
        try {
            json = MAPPER.readTree(body);
        } catch (JacksonException e) {
            throw new Refusal(400, "malformed_json", "the body is no valid JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new Refusal(400, "malformed_json", "the body is no valid JSON");
        }
        if (!json.isObject()) {
            throw new Refusal(400, "malformed_json", "the body must be a JSON object");
        }
        return new Fields(json);
    }

    /**
     * Rejects every other field.
     *
     * @param known the allowed fields
     * @throws Refusal if there is another field
     */
    public void allowOnly(String... known) {
        List<String> fields = List.of(known);
        object.fieldNames().forEachRemaining(field -> {
            if (!fields.contains(field)) {
                throw Refusal.invalid(
                        ForeignText.sanitised(field) + " is not a field of this request, which has " + fields);
            }
        });
    }

    /**
     * A name: a string as {@link WorkerInfo} requires it.
     *
     * @param field the field
     * @return its value
     * @throws Refusal if it is missing or invalid
     */
    public String name(String field) {
        return optionalName(field).orElseThrow(() -> missing(field));
    }

    /**
     * An optional name.
     *
     * @param field the field
     * @return its value; empty if it is missing or null
     * @throws Refusal if it is invalid
     */
    public Optional<String> optionalName(String field) {
        return value(field).map(value -> {
            if (!value.isTextual()) {
                throw Refusal.invalid(field + " must be a string, was " + kind(value));
            }
            return requireName(value.textValue(), field);
        });
    }

    /**
     * A whole number.
     *
     * @param field the field
     * @param least the minimum
     * @param most the maximum
     * @return its value
     * @throws Refusal if it is missing or invalid
     */
    public int number(String field, int least, int most) {
        return optionalNumber(field, least, most).orElseThrow(() -> missing(field));
    }

    /**
     * An optional whole number.
     *
     * @param field the field
     * @param least the minimum
     * @param most the maximum
     * @return its value; empty if it is missing or null
     * @throws Refusal if it is invalid
     */
    public Optional<Integer> optionalNumber(String field, int least, int most) {
        return value(field).map(value -> {
            if (!value.isIntegralNumber()) {
                throw Refusal.invalid(field + " must be a whole number, was " + kind(value));
            }
            if (!value.canConvertToInt() || value.intValue() > most) {
                throw Refusal.invalid(field + " must be >= " + least + " and <= " + most);
            }
            if (value.intValue() < least) {
                throw Refusal.invalid(field + " must be >= " + least + ", was " + value.intValue());
            }
            return value.intValue();
        });
    }

    /**
     * The number of concurrent requests of a worker, in the field {@code slots}.
     *
     * @return 1 or more; 1 if it is missing
     * @throws Refusal if it is invalid or far too large
     */
    public int slots() {
        return optionalNumber("slots", 1, MOST_SLOTS).orElse(1);
    }

    /** Null counts as missing. */
    private Optional<JsonNode> value(String field) {
        return Optional.ofNullable(object.get(field)).filter(value -> !value.isNull());
    }

    /**
     * Checks a name that a client sent, in a body or in a query.
     *
     * @param value the received text
     * @param field the field
     * @return the value
     * @throws Refusal if it is not a valid name
     */
    public static String requireName(String value, String field) {
        if (!StandardCharsets.UTF_8
                .newEncoder()
                .canEncode(value)) { // an unpaired surrogate, which cannot be passed to a program
            throw Refusal.invalid(field + " must be well-formed Unicode");
        }
        try {
            return ForeignText.requireName(value, field);
        } catch (IllegalArgumentException e) {
            throw Refusal.invalid(e.getMessage());
        }
    }

    private static Refusal missing(String field) {
        return Refusal.invalid(field + " is missing");
    }

    private static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> "a string";
            case BOOLEAN -> "a boolean";
            case ARRAY -> "an array";
            case OBJECT -> "an object";
            case NUMBER -> value.isIntegralNumber() ? "a number" : "a fraction";
            default -> "something else";
        };
    }
}
