/** Shared by the example programs. Start at {@link io.github.workerregistry.examples.hive.Hive}. */
package io.github.workerregistry.examples;
