package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.contract.ProcessControllerContract;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Starts simulated processes, for tests.
 *
 * <p>A fake process runs until {@link WorkerProcess#terminate()} (exits at once with code 0),
 * {@link WorkerProcess#kill()} (signal 9), or {@link #exit}, called by the test. The test can make it ignore signals
 * and print output. Methods with a worker id address the latest process of that worker. All running processes and the
 * last {@value #KEPT} exited ones are kept. Thread-safe. Fulfils the same {@link ProcessControllerContract} as
 * {@link io.github.workerregistry.process.LocalProcessController}.
 *
 * @since 0.1
 */
public final class FakeProcessController implements ProcessController {

    private static final long FIRST_PID = 1001;

    /** How many workers with an exited process are kept, the most recent ones. */
    private static final int KEPT = 1_000;

    private final Map<String, FakeProcess> latest = new LinkedHashMap<>();
    private final Set<String> ended = new LinkedHashSet<>(); // in exit order
    private long nextPid = FIRST_PID;
    private boolean recordsOutput = true;
    private @Nullable String nextFailure;

    /** Creates a controller without processes. */
    public FakeProcessController() {}

    @Override
    public synchronized WorkerProcess start(ProcessSpec spec) {
        requireNonNull(spec, "spec");
        if (nextFailure != null) {
            String reason = nextFailure;
            nextFailure = null;
            throw new SpawnException(spec.command(), reason, null);
        }
        FakeProcess process = new FakeProcess(spec, nextPid++, recordsOutput, this::recordExit);
        latest.put(spec.workerId(), process);
        ended.remove(spec.workerId());
        return process;
    }

    private synchronized void recordExit(FakeProcess process) {
        String workerId = process.spec().workerId();
        if (latest.get(workerId) != process || !ended.add(workerId) || ended.size() <= KEPT) {
            return; // a later process replaced it, or the limit is not reached
        }
        String oldest = ended.iterator().next();
        ended.remove(oldest);
        latest.remove(oldest);
    }

    /**
     * Makes the next start fail with a {@link SpawnException}.
     *
     * @param reason the reason in its message
     */
    public synchronized void failNextStart(String reason) {
        nextFailure = requireNonNull(reason, "reason");
    }

    /**
     * Starts later processes without recorded output: {@link #print} has no effect, and
     * {@link WorkerProcess#recordsOutput()} is false.
     */
    public synchronized void discardOutput() {
        recordsOutput = false;
    }

    /**
     * Makes a process exit by itself, as in a crash.
     *
     * @param workerId the worker
     * @param code its exit code; 137 simulates an external {@code kill -9}
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void exit(String workerId, int code) {
        processOf(workerId).exit(code);
    }

    /**
     * Like {@link #exit}, but {@link WorkerProcess#onExit()} does not complete, as if the common pool were saturated;
     * only {@link WorkerProcess#exitStatus()} reports the exit.
     *
     * @param workerId the worker
     * @param code its exit code
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void exitUnnoticed(String workerId, int code) {
        processOf(workerId).exitUnnoticed(code);
    }

    /**
     * Makes a process print a line.
     *
     * @param workerId the worker
     * @param line the line, without a line terminator
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void print(String workerId, String line) {
        processOf(workerId).print(requireNonNull(line, "line"));
    }

    /**
     * Sets what a process uses until it exits, see {@link WorkerProcess#usage()}; unknown until then.
     *
     * @param workerId the worker
     * @param usage its memory, CPU time, threads and processes
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void use(String workerId, ProcessUsage usage) {
        processOf(workerId).use(requireNonNull(usage, "usage"));
    }

    /**
     * Makes a process ignore {@link WorkerProcess#terminate()}.
     *
     * @param workerId the worker
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void ignoreTerminate(String workerId) {
        processOf(workerId).ignoreTerminate();
    }

    /**
     * Makes a process ignore {@link WorkerProcess#terminate()} and {@link WorkerProcess#kill()}, like one that is stuck
     * in the kernel.
     *
     * @param workerId the worker
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void ignoreKill(String workerId) {
        processOf(workerId).ignoreKill();
    }

    /**
     * The exit status of a worker's process.
     *
     * @param workerId the worker
     * @return the status; empty while it runs
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public Optional<ExitStatus> exitOf(String workerId) {
        return processOf(workerId).exitStatus();
    }

    /**
     * The specification that a worker's process was started with.
     *
     * @param workerId the worker
     * @return the specification, with placeholders resolved
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public ProcessSpec specOf(String workerId) {
        return processOf(workerId).spec();
    }

    /**
     * The workers with a running process.
     *
     * @return their ids, in the order of their first start
     */
    public synchronized List<String> running() {
        return latest.entrySet().stream()
                .filter(process -> process.getValue().exitStatus().isEmpty())
                .map(Map.Entry::getKey)
                .toList();
    }

    /**
     * Number of processes started, over all workers.
     *
     * @return the number
     */
    public synchronized long starts() {
        return nextPid - FIRST_PID;
    }

    private synchronized FakeProcess processOf(String workerId) {
        FakeProcess process = latest.get(requireNonNull(workerId, "workerId"));
        if (process == null) {
            throw new IllegalArgumentException("no process was started for worker " + workerId
                    + ", or it is not among the last " + KEPT + " that exited");
        }
        return process;
    }
}
