package io.github.workerregistry.testing.contract;

import static java.util.Objects.requireNonNull;

import java.util.function.Consumer;

/**
 * One check of a contract. Created by {@link Contract#checks()}.
 *
 * <p>Can be run any number of times, and concurrently with others if the hooks of its contract allow that.
 *
 * @since 0.1
 */
public final class ContractCheck {

    private final String name;
    private final Body body;

    ContractCheck(String name, Body body) {
        this.name = requireNonNull(name, "name");
        this.body = requireNonNull(body, "body");
    }

    /**
     * The verified behaviour, as a sentence.
     *
     * @return the name, unique within its contract
     */
    public String name() {
        return name;
    }

    /**
     * Runs the check. Returns normally if it passes.
     *
     * @param notApplicable called with the reason if the implementation does not support what is checked; the check
     *     then ends without a result. May throw the exception by which a test framework marks a test as skipped, for
     *     example {@code Assumptions::abort} of JUnit
     * @throws AssertionError if the check fails; the message contains the expected and the actual value
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

    /** The body of a check; returns normally if it passes. */
    @FunctionalInterface
    interface Body {
        void run() throws Exception;
    }
}
