/**
 * Shared by the HTTP servers of the example programs: JSON requests and responses, uniform errors, limits on requests,
 * and forwarding with streamed responses, on the event loops of Vert.x. What blocks runs on its worker threads.
 *
 * <p>Start at {@link io.github.workerregistry.examples.http.JsonServer}; forwarding at
 * {@link io.github.workerregistry.examples.http.Forwarding}.
 */
package io.github.workerregistry.examples.http;
