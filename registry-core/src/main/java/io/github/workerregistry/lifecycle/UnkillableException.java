package io.github.workerregistry.lifecycle;

/**
 * A process is still there some time after it was killed, which happens in the kernel (a driver, a dead file system). Its record, slots and port stay taken
 * until it goes.
 */
public final class UnkillableException extends RuntimeException {

    UnkillableException(String id, long pid) {
        super("worker " + id + ", pid " + pid + ", is still there after it was killed");
    }
}
