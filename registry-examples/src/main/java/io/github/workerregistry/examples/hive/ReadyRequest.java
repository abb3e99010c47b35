package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Fields;
import java.util.Optional;

/**
 * What a worker says in {@code POST /v1/workers/ready}.
 *
 * @param workerId which worker it is
 * @param url where it says it is reached
 * @param modelRef the model that it says it has loaded
 * @param generation which generation of the worker says so, as in its {@code WORKER_GENERATION}; empty if it does not
 *     say
 */
record ReadyRequest(String workerId, String url, String modelRef, Optional<Integer> generation) {

    /**
     * Reads the fields; backend and device have to be there and well-formed, and decide nothing; nor does what a worker
     * says beyond that.
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
