package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.BoundAddress;
import java.io.IOException;
import java.util.List;

/** The membership of a hive in a fleet: joined before its first worker starts, left before its last one exits. */
public interface Membership {

    /** A place in the fleet. */
    interface Place extends AutoCloseable {

        /**
         * Starts publishing the workers of this hive.
         *
         * @param registry the workers
         */
        void publish(WorkerRegistry registry);

        @Override
        void close();
    }

    /**
     * The names that the fleet uses for this hive.
     *
     * @return names of this machine
     */
    default List<String> hostNames() {
        return List.of();
    }

    /**
     * Joins.
     *
     * @param address the address of this hive, which does not answer yet
     * @return the place
     * @throws IOException if the hive cannot join; the message says why
     * @throws picocli.CommandLine.ParameterException if an option is invalid
     */
    Place join(BoundAddress address) throws IOException;

    /**
     * The membership of a hive without a queen.
     *
     * @return a membership that does nothing
     */
    static Membership none() {
        return new NoMembership();
    }
}
