/** What the example programs share. Start reading at {@link io.github.workerregistry.examples.hive.Hive}. */
package io.github.workerregistry.examples;
