package io.github.workerregistry.examples.queen;

/** What a hive's node holds is no snapshot that this program understands. */
final class MalformedSnapshotException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MalformedSnapshotException(String message, Throwable cause) {
        super(message, cause);
    }

    MalformedSnapshotException(String message) {
        super(message);
    }
}
