/**
 * How a hive sends a request to a worker: a small dispatcher to copy. Its tests show how to test it in virtual time.
 * Start at {@link io.github.workerregistry.examples.dispatcher.Dispatcher}.
 */
package io.github.workerregistry.examples.dispatcher;
