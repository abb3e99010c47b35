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
     * @param slot whose worker to ask, at {@link SlotLease#url()}; the dispatcher gives it back
     * @param request the request
     * @return the answer
     * @throws IOException if there was none, for example because the worker died
     */
    A send(SlotLease slot, Q request) throws IOException;
}
