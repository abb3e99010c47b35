package io.github.workerregistry.testing;

/** A promise of processes, as a sentence and as what is done with a scene to see that it is kept. */
record ProcessCheck(String name, Body body) {

    ContractCheck of(ProcessControllerContract contract) {
        return new ContractCheck(name, () -> {
            try (ProcessScene scene = new ProcessScene(contract)) {
                body.run(scene);
            }
        });
    }

    @FunctionalInterface
    interface Body {
        void run(ProcessScene scene) throws Exception;
    }
}
