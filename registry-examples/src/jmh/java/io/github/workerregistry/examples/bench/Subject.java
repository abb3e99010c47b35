package io.github.workerregistry.examples.bench;

import org.openjdk.jmh.infra.Blackhole;

/**
 * Something that knows many workers of many models and hands one out to one caller at a time: ours, a peer, or the
 * specification's own design. It is filled when it is made.
 *
 * <p>A JVM that measures loads one subject only, so that no call here is more virtual than in an application.
 */
public interface Subject {

    /** How one thread takes and gives; called once by each. */
    Taker taker();

    /** One thread's access. */
    @FunctionalInterface
    interface Taker {

        /**
         * Finds a free worker of the model, takes it, shows it to the hole (so that it really has to be there), and
         * gives it back. A pool waits only if that is the faster way.
         *
         * @return false if none was free
         */
        boolean takeAndGive(String model, Blackhole hole) throws InterruptedException;
    }

    /** Those that are compared. */
    enum Name {
        /** This library, asked for a slot that is free now. */
        REGISTRY("this library", "#d62728"),
        /** This library, asked for a slot that is free now or soon: callers wait in line. */
        REGISTRY_WAITING("this library, waiting", "#ff7f0e"),
        /** HikariCP's ConcurrentBag, one for each model. */
        CONCURRENT_BAG("HikariCP ConcurrentBag", "#1f77b4"),
        /** Stormpot, one pool for each model. */
        STORMPOT("Stormpot", "#2ca02c"),
        /** The keyed pool of commons-pool2. */
        COMMONS_POOL("commons-pool2 keyed", "#9467bd"),
        /** The design that the specification describes. */
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
