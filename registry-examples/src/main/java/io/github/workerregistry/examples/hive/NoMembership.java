package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.BoundAddress;
import picocli.CommandLine.Command;

/** The membership of a hive without a queen. */
@Command
final class NoMembership implements Membership, Membership.Place {

    @Override
    public Place join(BoundAddress address) {
        return this;
    }

    @Override
    public void publish(WorkerRegistry registry) {}

    @Override
    public void close() {}
}
