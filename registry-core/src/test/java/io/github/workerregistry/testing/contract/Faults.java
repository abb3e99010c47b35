package io.github.workerregistry.testing.contract;

import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Faulty implementations, and the checks that detect them. */
final class Faults {

    /** An injected fault: its description, and the contract of the faulty implementation. */
    record Fault(String what, Contract contract) {}

    private Faults() {}

    /** Blocks the calling thread. */
    static void await(CountDownLatch never) {
        try {
            never.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One line for each fault, followed by one indented line for each failed check. */
    static String detected(Stream<Fault> faults) {
        return faults.map(fault -> fault.what() + "\n"
                        + fault.contract().report().failed().keySet().stream()
                                .map(check -> "    " + check + "\n")
                                .collect(Collectors.joining()))
                .collect(Collectors.joining());
    }
}
