package io.github.workerregistry.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A process that exists only in this object. */
final class FakeProcess implements WorkerProcess {

    private static final int SIGKILL_CODE = 137;

    private final ProcessSpec spec;
    private final ProcessIdentity identity;
    private final Consumer<FakeProcess> onEnd;
    private final boolean recordsOutput;
    private final CompletableFuture<ExitStatus> notice = new CompletableFuture<>();
    private final List<String> output = new ArrayList<>();

    private Optional<ExitStatus> status = Optional.empty();
    private boolean requested;
    private boolean ignoresTerminate;
    private boolean ignoresKill;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Optional<ProcessUsage> usage = Optional.empty();

    FakeProcess(ProcessSpec spec, long pid, boolean recordsOutput, Consumer<FakeProcess> onEnd) {
        this.spec = spec;
        this.recordsOutput = recordsOutput;
        this.onEnd = onEnd;
        this.identity = new ProcessIdentity(pid, pid, "fake");
    }

    ProcessSpec spec() {
        return spec;
    }

    @Override
    public ProcessIdentity identity() {
        return identity;
    }

    @Override
    public synchronized Optional<ExitStatus> exitStatus() {
        return status;
    }

    @Override
    public CompletionStage<ExitStatus> onExit() {
        return notice.copy();
    }

    @Override
    public void terminate() {
        if (!ignores(false)) {
            exit(0);
        }
    }

    @Override
    public void kill() {
        if (!ignores(true)) {
            exit(SIGKILL_CODE);
        }
    }

    private synchronized boolean ignores(boolean kill) {
        requested = true;
        return kill ? ignoresKill : ignoresTerminate;
    }

    /** Exits, unless it has exited, and completes {@link #onExit()}. */
    void exit(int code) {
        notice.complete(end(code)); // no lock held: listeners may call back
    }

    void exitUnnoticed(int code) {
        end(code);
    }

    private ExitStatus end(int code) {
        ExitStatus ended;
        synchronized (this) {
            ended = status.orElseGet(() -> requested ? ExitStatus.requested(code) : ExitStatus.unrequested(code));
            status = Optional.of(ended);
        }
        onEnd.accept(this); // no lock held: the controller calls processes under its own lock
        return ended;
    }

    synchronized void print(String line) {
        if (recordsOutput) {
            output.add(line);
            bytes.writeBytes((line + "\n").getBytes(UTF_8));
        }
    }

    synchronized void ignoreTerminate() {
        ignoresTerminate = true;
    }

    synchronized void ignoreKill() {
        ignoresTerminate = true;
        ignoresKill = true;
    }

    @Override
    public synchronized long outputBytes() {
        return bytes.size();
    }

    @Override
    public boolean recordsOutput() {
        return recordsOutput;
    }

    @Override
    public synchronized List<String> outputTail(int maxLines) {
        if (maxLines < 1) {
            throw new IllegalArgumentException("maxLines must be > 0, was " + maxLines);
        }
        return List.copyOf(output.subList(Math.max(0, output.size() - maxLines), output.size()));
    }

    @Override
    public synchronized OptionalLong readOutput(long offset, ByteBuffer into) {
        requireNonNull(into, "into");
        if (offset < 0) {
            throw new IllegalArgumentException("offset must be >= 0, was " + offset);
        }
        if (!recordsOutput) {
            return OptionalLong.empty();
        }
        int from = (int) Math.min(offset, bytes.size());
        into.put(bytes.toByteArray(), from, Math.min(into.remaining(), bytes.size() - from));
        return OptionalLong.of(offset);
    }

    synchronized void use(ProcessUsage now) {
        usage = Optional.of(now);
    }

    @Override
    public synchronized Optional<ProcessUsage> usage() {
        return status.isPresent() ? Optional.empty() : usage;
    }

    @Override
    public void release() {
        // nothing to release
    }
}
