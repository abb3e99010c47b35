package io.github.workerregistry.examples.queen;

/** Another hive has the name of this hive's node. */
public final class NodeTakenException extends Exception {

    private static final long serialVersionUID = 1L;

    NodeTakenException(String node, String holder) {
        super("the node name '" + node + "' is taken by " + holder + "; give this hive another one with --node");
    }
}
