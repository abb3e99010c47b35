package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.hive.Hive;

/** The example hive, with the options of a queen's fleet. */
public final class QueenHive {

    private QueenHive() {}

    /**
     * Runs the hive; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        Hive.run(args, new QueenMembership());
    }
}
