package io.github.workerregistry.examples.queen;

/** The content of a hive's node is not a snapshot in a known format. */
final class MalformedSnapshotException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MalformedSnapshotException(String message, Throwable cause) {
        super(message, cause);
    }

    MalformedSnapshotException(String message) {
        super(message);
    }
}
