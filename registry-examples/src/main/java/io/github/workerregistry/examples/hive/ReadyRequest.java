package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Fields;
import java.util.Optional;

/**
 * The body of {@code POST /v1/workers/ready}.
 *
 * @param workerId the worker
 * @param url its url, as reported by it
 * @param modelRef the loaded model, as reported by it
 * @param generation its generation, as in its {@code WORKER_GENERATION}; empty if not reported
 */
record ReadyRequest(String workerId, String url, String modelRef, Optional<Integer> generation) {

    /**
     * Reads the fields. Backend and device must be present and well-formed but have no effect; further fields are
     * ignored.
     */
    static ReadyRequest of(Fields fields) {
        ReadyRequest request = new ReadyRequest(
                fields.name("worker_id"),
                fields.name("url"),
                fields.name("model_ref"),
                fields.optionalNumber("generation", 1, Integer.MAX_VALUE));
        fields.name("backend");
        fields.number("device", 0, Integer.MAX_VALUE);
        return request;
    }
}
