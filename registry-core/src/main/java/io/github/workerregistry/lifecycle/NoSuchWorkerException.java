package io.github.workerregistry.lifecycle;

/** The supervisor has no worker with that id: it never spawned it, or the worker has gone. */
public final class NoSuchWorkerException extends RuntimeException {

    NoSuchWorkerException(String id) {
        super("no worker " + id + " is supervised here");
    }
}
