package io.github.workerregistry.examples.bench;

import org.openjdk.jmh.infra.Blackhole;

/**
 * A registry or pool under test: this library, a peer, or the design of the specification. It is filled at
 * construction.
 *
 * <p>Each JVM loads only one subject, so that calls are as monomorphic as in an application.
 */
public interface Subject {

    /** The access of one thread; called once by each. */
    Taker taker();

    /** One thread's access. */
    @FunctionalInterface
    interface Taker {

        /**
         * Acquires a free worker of the model, passes it to the hole (so that it is not optimised away), and releases
         * it. A pool waits only if that is faster.
         *
         * @return false if none was free
         */
        boolean takeAndGive(String model, Blackhole hole) throws InterruptedException;
    }

    /** The compared subjects. */
    enum Name {
        /** This library, {@code tryAcquire}. */
        REGISTRY("this library", "#d62728"),
        /** This library, {@code acquire}: callers wait in the queue. */
        REGISTRY_WAITING("this library, waiting", "#ff7f0e"),
        /** HikariCP's ConcurrentBag, one for each model. */
        CONCURRENT_BAG("HikariCP ConcurrentBag", "#1f77b4"),
        /** Stormpot, one pool for each model. */
        STORMPOT("Stormpot", "#2ca02c"),
        /** The keyed pool of commons-pool2. */
        COMMONS_POOL("commons-pool2 keyed", "#9467bd"),
        /** The design of the specification. */
        SPEC("the specification", "#7f7f7f");

        private final String title;
        private final String colour;

        Name(String title, String colour) {
            this.title = title;
            this.colour = colour;
        }

        /** Its name in tables and plots. */
        String title() {
            return title;
        }

        /** Its colour in plots. */
        String colour() {
            return colour;
        }

        Subject fill(Workload workload) throws Exception {
            return switch (this) {
                case REGISTRY -> new RegistrySubject(workload, false);
                case REGISTRY_WAITING -> new RegistrySubject(workload, true);
                case CONCURRENT_BAG -> new BagSubject(workload);
                case STORMPOT -> new StormpotSubject(workload);
                case COMMONS_POOL -> new CommonsPoolSubject(workload);
                case SPEC -> new SpecSubject(workload);
            };
        }
    }
}
