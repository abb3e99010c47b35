package io.github.workerregistry.examples.dispatcher;

import io.github.workerregistry.SlotLease;
import java.util.concurrent.CompletionStage;

/**
 * Sends a request to the worker of a slot, without blocking.
 *
 * @param <Q> the request
 * @param <A> the answer
 */
@FunctionalInterface
public interface AsyncBackend<Q, A> {

    /**
     * Sends a request.
     *
     * @param slot the slot, with the url of its worker
     * @param request the request
     * @return completes with the answer, exceptionally if there is none
     */
    CompletionStage<A> send(SlotLease slot, Q request);
}
