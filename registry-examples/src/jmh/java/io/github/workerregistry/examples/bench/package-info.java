/**
 * The performance of the library compared to its peers. Not part of the normal build: {@code mvn -q -Pbench -DskipTests
 * verify} runs {@link io.github.workerregistry.examples.bench.BenchmarkRun}, then
 * {@link io.github.workerregistry.examples.bench.Latency}, then {@link io.github.workerregistry.examples.bench.Report}.
 * Start at {@link io.github.workerregistry.examples.bench.SlotBenchmark}.
 */
package io.github.workerregistry.examples.bench;
