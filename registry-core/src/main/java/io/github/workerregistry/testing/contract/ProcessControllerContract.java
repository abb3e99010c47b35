package io.github.workerregistry.testing.contract;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The contract of a {@link ProcessController} and its processes, for tests of your implementation.
 *
 * <p>With JUnit, for a controller that runs programs of this machine (checks that are not applicable are reported as
 * skipped):
 *
 * <pre>{@code
 * class MyProcessControllerTest extends ProcessControllerContract {
 *     private final ProcessController mine = new MyProcessController();
 *
 *     @TestFactory Stream<DynamicTest> fulfilsTheContract() {
 *         return checks().stream()
 *                 .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
 *     }
 *
 *     @Override protected ProcessController controller() {
 *         return mine;
 *     }
 *
 *     @Override protected ProcessSpec longRunning(String workerId) {
 *         return spec(workerId, "sleep", "600");
 *     }
 *
 *     @Override protected ProcessSpec unstartable(String workerId) {
 *         return spec(workerId, "/no/such/program");
 *     }
 *
 *     @Override protected WorkerProcess exitingWith(String workerId, int code) {
 *         return mine.start(spec(workerId, "sh", "-c", "exit " + code));
 *     }
 *
 *     @Override protected Optional<WorkerProcess> printing(String workerId, String... lines) {
 *         List<String> command = new ArrayList<>(List.of("sh", "-c", "printf '%s\\n' \"$@\"; exec sleep 600", "sh"));
 *         command.addAll(List.of(lines));
 *         return Optional.of(mine.start(spec(workerId, command.toArray(String[]::new))));
 *     }
 * }
 * }</pre>
 *
 * <p>Without a test framework: {@code new MyProcessControllerContract().verify()}.
 *
 * <p>Each hook creates a new process (or specification) with the behaviour in its name at each call, for the given
 * worker; a hook that returns an {@code Optional} may return empty if that behaviour is not supported. Processes that
 * hooks start are killed and released after the check.
 *
 * @since 0.1
 */
public abstract non-sealed class ProcessControllerContract extends Contract {

    private static final int SIGKILL_CODE = 137;

    /** For subclasses. */
    protected ProcessControllerContract() {}

    /**
     * The controller under test.
     *
     * @return the controller, the same during one check
     */
    protected abstract ProcessController controller();

    /**
     * Specifies a process that prints nothing and runs until {@link WorkerProcess#terminate()} or
     * {@link WorkerProcess#kill()}.
     *
     * @param workerId the worker
     * @return the specification
     */
    protected abstract ProcessSpec longRunning(String workerId);

    /**
     * Specifies a process that {@link #controller()} cannot start.
     *
     * @param workerId the worker
     * @return the specification
     */
    protected abstract ProcessSpec unstartable(String workerId);

    /**
     * Starts a process that soon exits by itself.
     *
     * @param workerId the worker
     * @param code the exit code
     * @return the process
     */
    protected abstract WorkerProcess exitingWith(String workerId, int code);

    /**
     * Starts a process that ignores {@link WorkerProcess#terminate()}.
     *
     * @param workerId the worker
     * @return the process, once it ignores the signal; default: not supported
     */
    protected Optional<WorkerProcess> ignoringTerminate(String workerId) {
        return Optional.empty();
    }

    /**
     * Starts a process that prints ASCII lines, each terminated by one line feed, and keeps running.
     *
     * @param workerId the worker
     * @param lines the lines, without line terminators
     * @return the process, which may print them later; default: output is not recorded, and
     *     {@link WorkerProcess#recordsOutput()} is false
     */
    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
        return Optional.empty();
    }

    /**
     * Starts a process with a child. Both run until they are terminated.
     *
     * @param workerId the worker
     * @return both, once both run; default: processes have no children
     */
    protected Optional<Family> parent(String workerId) {
        return Optional.empty();
    }

    /**
     * Starts a process that soon exits by itself and leaves a running child behind.
     *
     * @param workerId the worker
     * @param code the exit code of the process
     * @return both; default: processes have no children
     */
    protected Optional<Family> orphaningChild(String workerId, int code) {
        return Optional.empty();
    }

    /**
     * Starts a process that exits on {@link WorkerProcess#terminate()}, with a child that ignores it.
     *
     * @param workerId the worker
     * @return both, once both run; default: processes have no children
     */
    protected Optional<Family> parentOfIgnoringChild(String workerId) {
        return Optional.empty();
    }

    /**
     * Starts a process that does not exit on {@link WorkerProcess#terminate()} but then starts a child that ignores it,
     * too.
     *
     * @param workerId the worker
     * @return both, while the child is not started yet; default: processes have no children
     */
    protected Optional<Family> forking(String workerId) {
        return Optional.empty();
    }

    /**
     * A command that prints the value of an environment variable as a single line.
     *
     * @param variable the name of the variable
     * @return the program and its arguments; default: no programs are run
     */
    protected Optional<List<String>> printingVariable(String variable) {
        return Optional.empty();
    }

    /**
     * A command that prints the path of its working directory as a single line.
     *
     * @return the program and its arguments; default: no programs are run
     */
    protected Optional<List<String>> printingDirectory() {
        return Optional.empty();
    }

    /**
     * A command that prints each argument on a line.
     *
     * @param arguments the arguments
     * @return the program and its arguments; default: no programs are run
     */
    protected Optional<List<String>> printingArguments(String... arguments) {
        return Optional.empty();
    }

    /**
     * The existing resources that must not remain after a failed start, or after the release of the last process:
     * files, directories, containers.
     *
     * @return their names, of this controller only; default: not supported
     */
    protected Optional<Set<String>> leftovers() {
        return Optional.empty();
    }

    /**
     * The exit code of a process after {@link WorkerProcess#kill()}.
     *
     * @return default 137, as on POSIX systems
     */
    protected int killedCode() {
        return SIGKILL_CODE;
    }

    /**
     * A process and its child.
     *
     * @param process the process
     * @param childRuns whether the child runs; also called after the exit
     * @since 0.1
     */
    public record Family(WorkerProcess process, BooleanSupplier childRuns) {
        /**
         * Checks for null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Family {
            requireNonNull(process, "process");
            requireNonNull(childRuns, "childRuns");
        }
    }

    /**
     * Creates a specification with only a command.
     *
     * @param workerId the worker
     * @param command the program and its arguments
     * @return the specification
     */
    protected static ProcessSpec spec(String workerId, String... command) {
        return new ProcessSpec(workerId, List.of(command), Map.of(), Optional.empty());
    }

    @Override
    public final List<ContractCheck> checks() {
        return Stream.of(
                        ProcessStartChecks.all(),
                        ProcessExitChecks.all(),
                        ProcessSignalChecks.all(),
                        ProcessTreeChecks.all(),
                        ProcessOutputChecks.all())
                .flatMap(List::stream)
                .map(check -> check.on(() -> new ProcessScene(this)))
                .toList();
    }
}
