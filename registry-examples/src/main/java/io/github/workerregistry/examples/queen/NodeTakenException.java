package io.github.workerregistry.examples.queen;

/** The node name of this hive is taken by another hive. */
public final class NodeTakenException extends Exception {

    private static final long serialVersionUID = 1L;

    NodeTakenException(String node, String holder) {
        super("the node name '" + node + "' is taken by " + holder + "; give this hive another one with --node");
    }
}
