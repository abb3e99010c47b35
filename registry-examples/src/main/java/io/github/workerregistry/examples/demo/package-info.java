/**
 * A stand-in for an LLM server: takes time to load, answers with words, and misbehaves on request, so that one can see
 * what the library does about it. Start reading at {@link io.github.workerregistry.examples.demo.DemoWorker}.
 */
package io.github.workerregistry.examples.demo;
