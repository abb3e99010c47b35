package io.github.workerregistry.lifecycle;

/** The rules of one worker, for its model. */
record ModelRules(LifecycleConfig lifecycle, RestartPolicy restartPolicy, boolean probed, ModelOverrides overrides) {

    /** The rules of a worker under a supervisor with {@link ModelConfig}. */
    static ModelRules of(ModelOverrides own, RestartPolicy.Mode mode, boolean probedBySupervisor) {
        return new ModelRules(
                own.lifecycle().orElseGet(ModelConfig::config),
                own.restartPolicy().orElseGet(() -> ModelConfig.policy(mode)),
                probedBySupervisor || own.healthProbe(),
                own);
    }
}
