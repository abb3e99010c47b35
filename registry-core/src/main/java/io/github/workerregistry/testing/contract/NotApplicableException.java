package io.github.workerregistry.testing.contract;

/** Ends a check that does not apply to the implementation under test. */
final class NotApplicableException extends RuntimeException {

    private final String reason;

    NotApplicableException(String reason) {
        super(reason);
        this.reason = reason;
    }

    static NotApplicableException emptyHook(String hook) {
        return new NotApplicableException("the hook " + hook + "() returns empty");
    }

    String reason() {
        return reason;
    }
}
