/**
 * A hive: a small HTTP server over the library that starts workers, lists them, and sends requests to them.
 *
 * <p>Start at {@link io.github.workerregistry.examples.hive.Hive}, then {@code RunningHive}, which connects the parts,
 * then {@code WorkerApi} and {@code ModelRoute}, which answer requests, and {@code HiveView}, which shows operators
 * what there is.
 */
package io.github.workerregistry.examples.hive;
