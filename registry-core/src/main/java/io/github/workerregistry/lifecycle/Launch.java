package io.github.workerregistry.lifecycle;

import io.github.workerregistry.process.ProcessSpec;
import java.util.OptionalInt;

/**
 * One start of a worker. Each generation has its own, with the placeholders filled for it.
 *
 * @param port the port that the worker is given, if it needs one
 * @param url where it will be reached
 * @param process what is started
 */
record Launch(OptionalInt port, String url, ProcessSpec process) {

    /**
     * Fills the placeholders of a spec.
     *
     * @throws IllegalArgumentException if the url is malformed then, or nothing that a process can be given
     */
    static Launch of(WorkerSpec spec, String id, int generation, OptionalInt port) {
        Placeholders values = Placeholders.of(spec, id, generation, port);
        return new Launch(port, values.url(spec), values.processSpec(spec));
    }
}
