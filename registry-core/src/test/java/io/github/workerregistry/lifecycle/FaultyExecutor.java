package io.github.workerregistry.lifecycle;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.List;

/**
 * An executor that breaks its contract.
 *
 * @param description for the test's name
 * @param run what it does with a task
 * @param warnings parts of the messages that the library logs at WARN
 */
record FaultyExecutor(String description, Run run, List<String> warnings) {

    /** Executes a task, or adds it to those that are held, or throws. */
    interface Run {
        void execute(Runnable task, List<Runnable> held);
    }

    FaultyExecutor(String description, Run run, String... warnings) {
        this(description, run, List.of(warnings));
    }

    void expectWarnings() {
        UnexpectedWarnings.expect(warnings.toArray(String[]::new));
    }

    @Override
    public String toString() {
        return description;
    }
}
