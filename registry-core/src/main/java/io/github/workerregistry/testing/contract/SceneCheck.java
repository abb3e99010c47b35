package io.github.workerregistry.testing.contract;

import java.util.function.Supplier;

/**
 * A named check that runs with a fixture.
 *
 * @param <S> the fixture, closed after the check
 */
record SceneCheck<S extends AutoCloseable>(String name, Body<S> body) {

    /** The check, with a new fixture for each run. */
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
