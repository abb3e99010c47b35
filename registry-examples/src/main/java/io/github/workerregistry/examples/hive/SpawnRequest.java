package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.Refusal;
import java.util.Optional;

/**
 * The body of {@code POST /v1/workers/spawn}.
 *
 * @param modelRef the model
 * @param backend the backend
 * @param device the index of the device
 * @param slots maximum number of concurrent requests; 1 if not given
 * @param modelPath the model's file, for worker commands that need it
 */
record SpawnRequest(String modelRef, String backend, int device, int slots, Optional<String> modelPath) {

    /**
     * Reads the fields. Rejects unknown fields, which are probably misspelt.
     *
     * @throws Refusal that names the field, if one is wrong
     */
    static SpawnRequest of(Fields fields) {
        fields.allowOnly("model_ref", "backend", "device", "slots", "model_path");
        return new SpawnRequest(
                noOption("model_ref", fields.name("model_ref")),
                noOption("backend", fields.name("backend")),
                fields.number("device", 0, Integer.MAX_VALUE),
                fields.slots(),
                fields.optionalName("model_path").map(path -> noOption("model_path", path)));
    }

    /** A program would take it for an option. */
    private static String noOption(String field, String value) {
        if (value.startsWith("-")) {
            throw Refusal.invalid(field + " must not begin with -");
        }
        return value;
    }
}
