package io.github.workerregistry.examples.queen;

import java.util.regex.Pattern;

/** Checks the name of a hive's node: it becomes a path in ZooKeeper and a word in a header. */
public final class NodeName {

    /** The parent path of the hives' nodes. */
    static final String HIVES = "/worker-registry/hives";

    private static final Pattern FORMAT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

    private NodeName() {}

    /**
     * Checks a name.
     *
     * @param node the name
     * @return the name
     * @throws IllegalArgumentException if it is invalid; the message describes the format
     */
    public static String require(String node) {
        if (!FORMAT.matcher(node).matches()) {
            throw new IllegalArgumentException("a node name has 1 to 128 of the characters A-Z a-z 0-9 . _ - and begins"
                    + " with a letter or digit, was '" + node + "'");
        }
        return node;
    }

    static String path(String node) {
        return HIVES + "/" + require(node);
    }
}
