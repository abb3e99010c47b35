package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import java.util.function.Consumer;

/**
 * One promise of a contract, to be put to the test. Made by {@link Contract#checks()}.
 *
 * <p>It can be run any number of times, also at the same time as others if the hooks of its contract allow that.
 */
public final class ContractCheck {

    private final String name;
    private final Body body;

    ContractCheck(String name, Body body) {
        this.name = requireNonNull(name, "name");
        this.body = requireNonNull(body, "body");
    }

    /**
     * The promise, as a sentence.
     *
     * @return the name, unique within its contract
     */
    public String name() {
        return name;
    }

    /**
     * Puts the promise to the test. Returns if it is kept.
     *
     * @param notApplicable told the reason, if what is under test cannot be asked for this; the check is over then, and
     *     has shown nothing. May throw whatever a test framework takes for "skipped", for example
     *     {@code Assumptions::abort} of JUnit.
     * @throws AssertionError if the promise is broken; the message says what was expected and what was there
     * @throws Exception whatever a hook of the contract throws
     */
    public void run(Consumer<String> notApplicable) throws Exception {
        requireNonNull(notApplicable, "notApplicable");
        String reason;
        try {
            body.run();
            return;
        } catch (NotApplicableException e) {
            reason = e.reason();
        }
        notApplicable.accept(reason);
    }

    @Override
    public String toString() {
        return name;
    }

    /** What a check does; returns if all is well. */
    @FunctionalInterface
    interface Body {
        void run() throws Exception;
    }
}
