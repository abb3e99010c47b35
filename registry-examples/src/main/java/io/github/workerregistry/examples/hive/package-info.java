/**
 * A hive: a small HTTP server over the library that starts workers, lists them, and sends requests to them.
 *
 * <p>Start reading at {@link io.github.workerregistry.examples.hive.Hive}, then {@code RunningHive}, where everything
 * is wired together, then {@code WorkerApi} and {@code ExecuteProxy}, which answer the requests.
 */
package io.github.workerregistry.examples.hive;
