import org.jspecify.annotations.NullMarked;

/**
 * An embeddable registry of LLM workers: their records, the life cycle of their processes, and leases of their slots.
 *
 * <p>Start reading at {@link io.github.workerregistry.WorkerRegistry}, then
 * {@link io.github.workerregistry.lifecycle.WorkerSupervisor}.
 */
@NullMarked
module io.github.workerregistry {
    requires org.slf4j;
    requires transitive java.net.http;
    requires static transitive org.jspecify;

    exports io.github.workerregistry;
    exports io.github.workerregistry.health;
    exports io.github.workerregistry.lifecycle;
    exports io.github.workerregistry.pool;
    exports io.github.workerregistry.process;
    exports io.github.workerregistry.testing;
    exports io.github.workerregistry.testing.contract;
}
