package io.github.workerregistry.testing;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/** Forwards every call to another process; subclasses override methods to inject faults. */
public class ForwardingProcess implements WorkerProcess {

    private final WorkerProcess process;

    public ForwardingProcess(WorkerProcess process) {
        this.process = process;
    }

    @Override
    public ProcessIdentity identity() {
        return process.identity();
    }

    @Override
    public Optional<ExitStatus> exitStatus() {
        return process.exitStatus();
    }

    @Override
    public CompletionStage<ExitStatus> onExit() {
        return process.onExit();
    }

    @Override
    public void terminate() {
        process.terminate();
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public boolean survivesKill() {
        return process.survivesKill();
    }

    @Override
    public long outputBytes() {
        return process.outputBytes();
    }

    @Override
    public boolean recordsOutput() {
        return process.recordsOutput();
    }

    @Override
    public Optional<Boolean> ownsListener(InetSocketAddress address) {
        return process.ownsListener(address);
    }

    @Override
    public List<String> outputTail(int maxLines) {
        return process.outputTail(maxLines);
    }

    @Override
    public OptionalLong readOutput(long offset, ByteBuffer into) {
        return process.readOutput(offset, into);
    }

    @Override
    public Optional<ProcessUsage> usage() {
        return process.usage();
    }

    @Override
    public void release() {
        process.release();
    }
}
