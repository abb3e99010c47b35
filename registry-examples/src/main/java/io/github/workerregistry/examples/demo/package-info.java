/**
 * A simulated LLM server: it takes time to load, answers with words, and injects faults on request, to demonstrate how
 * the library handles them. Start at {@link io.github.workerregistry.examples.demo.DemoWorker}.
 */
package io.github.workerregistry.examples.demo;
