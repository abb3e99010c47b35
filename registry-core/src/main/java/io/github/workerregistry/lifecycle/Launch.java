package io.github.workerregistry.lifecycle;

import io.github.workerregistry.process.ProcessSpec;
import java.util.OptionalInt;

/**
 * One start of a worker. Each generation has its own, with its own values of the placeholders.
 *
 * @param port the port acquired for the worker, if it needs one
 * @param url the url of the worker
 * @param process the process to start
 */
record Launch(OptionalInt port, String url, ProcessSpec process) {

    /**
     * Substitutes the placeholders of a spec.
     *
     * @throws IllegalArgumentException if the url is malformed after substitution, or a value is invalid in a command,
     *     environment or directory
     */
    static Launch of(WorkerSpec spec, String id, int generation, OptionalInt port) {
        Placeholders values = Placeholders.of(spec, id, generation, port);
        return new Launch(port, values.url(spec), values.processSpec(spec));
    }
}
