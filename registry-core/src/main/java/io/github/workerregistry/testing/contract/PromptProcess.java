package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/** A process whose every call must return promptly, with a value. */
final class PromptProcess implements WorkerProcess {

    private final WorkerProcess process;
    private final PromptCalls calls;
    private final AtomicBoolean released = new AtomicBoolean();

    PromptProcess(WorkerProcess process, PromptCalls calls) {
        this.process = process;
        this.calls = calls;
    }

    /** The process as returned by the controller. */
    WorkerProcess bare() {
        return process;
    }

    @Override
    public ProcessIdentity identity() {
        return calls.get("identity()", process::identity);
    }

    @Override
    public Optional<ExitStatus> exitStatus() {
        return calls.get("exitStatus()", process::exitStatus);
    }

    @Override
    public CompletionStage<ExitStatus> onExit() {
        return calls.get("onExit()", process::onExit);
    }

    /** The exit notice as the supervisor receives it: by a callback on the stage, whatever its type. */
    CompletableFuture<ExitStatus> notice() {
        CompletableFuture<ExitStatus> notice = new CompletableFuture<>();
        CompletionStage<ExitStatus> stage = onExit();
        calls.run(
                "whenComplete on the stage of onExit()",
                () -> stage.whenComplete((status, failure) -> {
                    if (failure != null) {
                        notice.completeExceptionally(failure);
                    } else {
                        notice.complete(status);
                    }
                }));
        return notice;
    }

    @Override
    public void terminate() {
        calls.run("terminate()", process::terminate);
    }

    @Override
    public void kill() {
        calls.run("kill()", process::kill);
    }

    @Override
    public boolean survivesKill() {
        return calls.get("survivesKill()", process::survivesKill);
    }

    @Override
    public long outputBytes() {
        return calls.get("outputBytes()", process::outputBytes);
    }

    @Override
    public boolean recordsOutput() {
        return calls.get("recordsOutput()", process::recordsOutput);
    }

    @Override
    public Optional<Boolean> ownsListener(InetSocketAddress address) {
        return calls.get("ownsListener()", () -> process.ownsListener(address));
    }

    @Override
    public List<String> outputTail(int maxLines) {
        return calls.get("outputTail(" + maxLines + ")", () -> process.outputTail(maxLines));
    }

    @Override
    public OptionalLong readOutput(long offset, ByteBuffer into) {
        return calls.get("readOutput(" + offset + ")", () -> process.readOutput(offset, into));
    }

    @Override
    public Optional<ProcessUsage> usage() {
        return calls.get("usage()", process::usage);
    }

    /** Releases only once, like the supervisor, so that the clean-up after a check may call it again. */
    @Override
    public void release() {
        if (released.compareAndSet(false, true)) {
            calls.run("release()", process::release);
        }
    }
}
