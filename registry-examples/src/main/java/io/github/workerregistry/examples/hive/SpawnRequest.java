package io.github.workerregistry.examples.hive;

import java.util.Optional;

/**
 * What {@code POST /v1/workers/spawn} asks for.
 *
 * @param modelRef the model
 * @param backend what it is to compute on
 * @param device the index of the device
 * @param slots how many requests it is to take at once; 1 if not given
 * @param modelPath the model's file, for worker commands that need it
 */
record SpawnRequest(String modelRef, String backend, int device, int slots, Optional<String> modelPath) {

    static SpawnRequest of(Fields fields) {
        return new SpawnRequest(
                fields.name("model_ref"),
                fields.name("backend"),
                fields.number("device", 0),
                fields.optionalNumber("slots", 1).orElse(1),
                fields.optionalName("model_path"));
    }
}
