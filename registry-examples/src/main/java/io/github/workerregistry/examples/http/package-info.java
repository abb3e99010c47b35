/**
 * Shared by the HTTP servers of the example programs: JSON requests and responses, uniform errors, limits on requests,
 * and forwarding with streamed responses.
 *
 * <p>Start at {@link io.github.workerregistry.examples.http.JsonServer}.
 */
package io.github.workerregistry.examples.http;
