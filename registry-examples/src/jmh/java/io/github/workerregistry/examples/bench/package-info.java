/**
 * How fast the library is, beside its peers. Not part of the normal build: {@code mvn -q -Pbench -DskipTests verify}
 * runs {@link io.github.workerregistry.examples.bench.BenchmarkRun}, then
 * {@link io.github.workerregistry.examples.bench.Latency}, then {@link io.github.workerregistry.examples.bench.Report}.
 * Start reading at {@link io.github.workerregistry.examples.bench.SlotBenchmark}.
 */
package io.github.workerregistry.examples.bench;
