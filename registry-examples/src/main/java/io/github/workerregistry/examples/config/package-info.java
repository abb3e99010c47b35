/**
 * Configuration files: YAML whose every fault is reported, with its line.
 *
 * <p>Start at {@link io.github.workerregistry.examples.config.Section}.
 */
package io.github.workerregistry.examples.config;
