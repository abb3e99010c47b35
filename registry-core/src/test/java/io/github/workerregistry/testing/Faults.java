package io.github.workerregistry.testing;

import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Implementations that break their contract, and which checks see it. */
final class Faults {

    /** What is broken, and the contract of the one that is. */
    record Fault(String what, Contract contract) {}

    private Faults() {}

    /** Blocks whoever calls. */
    static void await(CountDownLatch never) {
        try {
            never.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A line for each fault, and a line, indented, for each check that fails. */
    static String seen(Stream<Fault> faults) {
        return faults.map(fault -> fault.what() + "\n"
                        + fault.contract().report().failed().keySet().stream()
                                .map(check -> "    " + check + "\n")
                                .collect(Collectors.joining()))
                .collect(Collectors.joining());
    }
}
