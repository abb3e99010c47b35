package io.github.workerregistry.examples.queen;

import java.util.regex.Pattern;

/** The rule for the name of a hive's node: it becomes a path in ZooKeeper and a word in a header. */
public final class NodeName {

    /** Where the hives' nodes are. */
    static final String HIVES = "/worker-registry/hives";

    private static final Pattern FORMAT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

    private NodeName() {}

    /**
     * Checks a name.
     *
     * @param node the name
     * @return the name
     * @throws IllegalArgumentException if it is none; the message says what one looks like
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
