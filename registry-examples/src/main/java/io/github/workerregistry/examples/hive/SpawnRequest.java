package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Fields;
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
                fields.name("model_ref"),
                fields.name("backend"),
                fields.number("device", 0, Integer.MAX_VALUE),
                fields.slots(),
                fields.optionalName("model_path"));
    }
}
