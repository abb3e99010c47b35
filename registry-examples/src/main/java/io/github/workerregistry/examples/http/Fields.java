package io.github.workerregistry.examples.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** The fields of a JSON object that a client sent. If one is wrong, a {@link Refusal} names it and says how. */
public final class Fields {

    /** So many requests at once are a slip of the keyboard. */
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
     * @throws Refusal if it is no JSON object
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
     * Refuses every other field.
     *
     * @param known the fields that there may be
     * @throws Refusal if there is another
     */
    public void allowOnly(String... known) {
        List<String> fields = List.of(known);
        object.fieldNames().forEachRemaining(field -> {
            if (!fields.contains(field)) {
                throw Refusal.invalid(LogText.of(field) + " is no field of this request; it has " + fields);
            }
        });
    }

    /**
     * A name: a string as {@link WorkerInfo} demands it.
     *
     * @param field the field
     * @return its value
     * @throws Refusal if it is not there, or no such string
     */
    public String name(String field) {
        return optionalName(field).orElseThrow(() -> missing(field));
    }

    /**
     * A name that may be absent.
     *
     * @param field the field
     * @return its value; empty if it is not there or null
     * @throws Refusal if it is no such string
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
     * @param least the least value that it may have
     * @param most the greatest
     * @return its value
     * @throws Refusal if it is not there, or no such number
     */
    public int number(String field, int least, int most) {
        return optionalNumber(field, least, most).orElseThrow(() -> missing(field));
    }

    /**
     * A whole number that may be absent.
     *
     * @param field the field
     * @param least the least value that it may have
     * @param most the greatest
     * @return its value; empty if it is not there or null
     * @throws Refusal if it is no such number
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
     * How many requests a worker takes at once, in the field {@code slots}.
     *
     * @return 1 or more; 1 if it is not there
     * @throws Refusal if it is no such number, or far too many
     */
    public int slots() {
        return optionalNumber("slots", 1, MOST_SLOTS).orElse(1);
    }

    /** A field that is null is one that is not there. */
    private Optional<JsonNode> value(String field) {
        return Optional.ofNullable(object.get(field)).filter(value -> !value.isNull());
    }

    /**
     * Checks a name that a client sent, be it in a body or in a query.
     *
     * @param value what was sent
     * @param field the field
     * @return the value
     * @throws Refusal if it is no name
     */
    public static String requireName(String value, String field) {
        if (!StandardCharsets.UTF_8
                .newEncoder()
                .canEncode(value)) { // half a surrogate pair: no program could be given it
            throw Refusal.invalid(field + " must be well-formed Unicode");
        }
        try {
            return WorkerInfo.requireName(value, field);
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
