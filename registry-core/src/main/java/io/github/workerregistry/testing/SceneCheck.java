package io.github.workerregistry.testing;

import java.util.function.Supplier;

/**
 * A promise, as a sentence and as what is done with a scene to see that it is kept.
 *
 * @param <S> what a check plays with; closed after it
 */
record SceneCheck<S extends AutoCloseable>(String name, Body<S> body) {

    /** The check, with a scene of its own each time. */
    ContractCheck on(Supplier<S> scenes) {
        return new ContractCheck(name, () -> {
            try (S scene = scenes.get()) {
                body.run(scene);
            }
        });
    }

    @FunctionalInterface
    interface Body<S> {
        void run(S scene) throws Exception;
    }
}
