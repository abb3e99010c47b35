package io.github.workerregistry.examples.dispatcher;

import io.github.workerregistry.SlotLease;
import java.io.IOException;

/**
 * Sends one request to the worker of a slot: over HTTP in a real hive, a lambda in a test.
 *
 * @param <Q> the request
 * @param <A> the answer
 */
@FunctionalInterface
public interface Backend<Q, A> {

    /**
     * Sends a request and waits for the answer.
     *
     * @param slot the lease, whose worker is at {@link SlotLease#url()}; released by the dispatcher
     * @param request the request
     * @return the answer
     * @throws IOException if there is none, for example because the worker crashed
     */
    A send(SlotLease slot, Q request) throws IOException;
}
