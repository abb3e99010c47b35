package io.github.workerregistry.lifecycle;

import io.github.workerregistry.process.ProcessSpec;
import java.util.OptionalInt;

/**
 * What all generations of one worker have in common, from its spawn to its removal.
 *
 * @param processSpec what is started, placeholders filled
 * @param port what it listens on, taken for as long as the lineage lasts
 * @param restarts the failures and restarts so far
 * @param turns the one queue of decisions about this worker
 */
record Lineage(
        String id, String modelRef, ProcessSpec processSpec, OptionalInt port, RestartHistory restarts, Turns turns) {}
