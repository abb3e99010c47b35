package io.github.workerregistry.process;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CompletableFuture;

/** A process whose exit is not reported, for lack of a thread. */
class ProcessWithoutNotice extends Process {
    private final Process process;

    ProcessWithoutNotice(Process process) {
        this.process = process;
    }

    @Override
    public CompletableFuture<Process> onExit() {
        throw new OutOfMemoryError("unable to create native thread");
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public int exitValue() {
        return process.exitValue();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public OutputStream getOutputStream() {
        return process.getOutputStream();
    }

    @Override
    public InputStream getInputStream() {
        return process.getInputStream();
    }

    @Override
    public InputStream getErrorStream() {
        return process.getErrorStream();
    }

    @Override
    public int waitFor() throws InterruptedException {
        return process.waitFor();
    }

    @Override
    public void destroy() {
        process.destroy();
    }
}
