package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Fields;

/**
 * What a worker says in {@code POST /v1/workers/ready}.
 *
 * @param workerId which worker it is
 * @param url where it says it is reached
 * @param modelRef the model that it says it has loaded
 */
record ReadyRequest(String workerId, String url, String modelRef) {

    /**
     * Reads the fields; backend and device have to be there and well-formed, and decide nothing; nor does what a worker
     * says beyond that.
     */
    static ReadyRequest of(Fields fields) {
        ReadyRequest request = new ReadyRequest(fields.name("worker_id"), fields.name("url"), fields.name("model_ref"));
        fields.name("backend");
        fields.number("device", 0, Integer.MAX_VALUE);
        return request;
    }
}
