package io.github.workerregistry.testing;

/** A hook says that what is under test has nothing of that kind. Ends a check. */
final class NotApplicableException extends RuntimeException {

    private final String reason;

    NotApplicableException(String reason) {
        super(reason);
        this.reason = reason;
    }

    static NotApplicableException nothingOf(String hook) {
        return new NotApplicableException("the hook " + hook + "() gives nothing");
    }

    String reason() {
        return reason;
    }
}
