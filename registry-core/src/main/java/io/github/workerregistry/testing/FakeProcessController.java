package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Starts processes that exist only in this object, for tests.
 *
 * <p>A fake process runs until it is ended: by {@link WorkerProcess#terminate()}, upon which it exits at once with code
 * 0, by {@link WorkerProcess#kill()} (signal 9), or by the test with {@link #exit}. The test can make it ignore signals
 * and print output. Workers are named by their id; of several processes of one worker, the latest is meant. Those that
 * run are known, and of those that have ended the last {@value #KEPT}: a test may run for days. Thread-safe. It keeps
 * the same {@link ProcessControllerContract} as {@link io.github.workerregistry.process.LocalProcessController}.
 */
public final class FakeProcessController implements ProcessController {

    private static final long FIRST_PID = 1001;

    /** How many workers whose process has ended are known, those that ended last. */
    private static final int KEPT = 1_000;

    private final Map<String, FakeProcess> latest = new LinkedHashMap<>();
    private final Set<String> ended = new LinkedHashSet<>(); // in the order of their end
    private long nextPid = FIRST_PID;
    private boolean recordsOutput = true;
    private @Nullable String nextFailure;

    /** A controller with no process. */
    public FakeProcessController() {}

    @Override
    public synchronized WorkerProcess start(ProcessSpec spec) {
        requireNonNull(spec, "spec");
        if (nextFailure != null) {
            String reason = nextFailure;
            nextFailure = null;
            throw new SpawnException(spec.command(), reason, null);
        }
        FakeProcess process = new FakeProcess(spec, nextPid++, recordsOutput, this::noteEnd);
        latest.put(spec.workerId(), process);
        ended.remove(spec.workerId());
        return process;
    }

    private synchronized void noteEnd(FakeProcess process) {
        String workerId = process.spec().workerId();
        if (latest.get(workerId) != process || !ended.add(workerId) || ended.size() <= KEPT) {
            return; // followed by another process, or there is room
        }
        String oldest = ended.iterator().next();
        ended.remove(oldest);
        latest.remove(oldest);
    }

    /**
     * Makes the next start fail with a {@link SpawnException}.
     *
     * @param reason what its message says
     */
    public synchronized void failNextStart(String reason) {
        nextFailure = requireNonNull(reason, "reason");
    }

    /**
     * From now on, starts processes whose output is not recorded: what they {@link #print} is lost, and
     * {@link WorkerProcess#recordsOutput()} is false.
     */
    public synchronized void discardOutput() {
        recordsOutput = false;
    }

    /**
     * Lets a process end by itself, as after a crash.
     *
     * @param workerId the worker
     * @param code its exit code; 137 looks like a {@code kill -9} from outside
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void exit(String workerId, int code) {
        processOf(workerId).exit(code);
    }

    /**
     * Like {@link #exit}, but without notice: {@link WorkerProcess#onExit()} stays silent, as with a common pool that
     * the host has filled, and only {@link WorkerProcess#exitStatus()} tells.
     *
     * @param workerId the worker
     * @param code its exit code
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void exitUnnoticed(String workerId, int code) {
        processOf(workerId).exitUnnoticed(code);
    }

    /**
     * Lets a process write a line.
     *
     * @param workerId the worker
     * @param line the line, without its end
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void print(String workerId, String line) {
        processOf(workerId).print(requireNonNull(line, "line"));
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
     * Makes a process ignore {@link WorkerProcess#kill()} too, as one does that is stuck in the kernel.
     *
     * @param workerId the worker
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public void ignoreKill(String workerId) {
        processOf(workerId).ignoreKill();
    }

    /**
     * How a worker's process ended.
     *
     * @param workerId the worker
     * @return the status; empty while it runs
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public Optional<ExitStatus> exitOf(String workerId) {
        return processOf(workerId).exitStatus();
    }

    /**
     * What a worker's process was started with.
     *
     * @param workerId the worker
     * @return the spec, placeholders filled
     * @throws IllegalArgumentException if the worker was never started, or is forgotten
     */
    public ProcessSpec specOf(String workerId) {
        return processOf(workerId).spec();
    }

    /**
     * The workers whose process runs.
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
     * How many processes were started, over all workers.
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
                    + ", or it is not among the " + KEPT + " that ended last");
        }
        return process;
    }
}
