/**
 * What the example programs' HTTP servers have in common: JSON in and out, one shape of errors, bounds on what clients
 * send, and the forwarding of a request whose answer comes in pieces.
 *
 * <p>Start reading at {@link io.github.workerregistry.examples.http.JsonServer}.
 */
package io.github.workerregistry.examples.http;
