/**
 * How a host sends a request to a worker: a small dispatcher to copy, and, among the tests, how to test such a thing in
 * virtual time. Start reading at {@link io.github.workerregistry.examples.dispatcher.Dispatcher}.
 */
package io.github.workerregistry.examples.dispatcher;
