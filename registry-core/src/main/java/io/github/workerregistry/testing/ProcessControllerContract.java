package io.github.workerregistry.testing;

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
 * What everybody may expect of a {@link ProcessController} and its processes: run it against your own.
 *
 * <p>With JUnit, for a controller that runs programs of this machine (the checks of promises that it cannot be asked
 * for are reported as skipped):
 *
 * <pre>{@code
 * class MyProcessControllerTest extends ProcessControllerContract {
 *     private final ProcessController mine = new MyProcessController();
 *
 *     @TestFactory Stream<DynamicTest> keepsTheContract() {
 *         return checks().stream()
 *                 .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
 *     }
 *
 *     @Override protected ProcessController controller() {
 *         return mine;
 *     }
 *
 *     @Override protected ProcessSpec lasting(String workerId) {
 *         return spec(workerId, "sleep", "600");
 *     }
 *
 *     @Override protected ProcessSpec unstartable(String workerId) {
 *         return spec(workerId, "/no/such/program");
 *     }
 *
 *     @Override protected WorkerProcess endingWith(String workerId, int code) {
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
 * <p>A hook makes what its name says, anew at each call, for the worker that it is told; one whose result is an
 * {@code Optional} may say that there is no such thing here. The processes that hooks make are ended and released after
 * the check.
 */
public abstract non-sealed class ProcessControllerContract extends Contract {

    private static final int SIGKILL_CODE = 137;

    /** For the hooks to be filled. */
    protected ProcessControllerContract() {}

    /**
     * The controller under test.
     *
     * @return the same one, at least during one check
     */
    protected abstract ProcessController controller();

    /**
     * What {@link #controller()} starts as a process that prints nothing and runs until it is ended, by
     * {@link WorkerProcess#terminate()} or {@link WorkerProcess#kill()}.
     *
     * @param workerId the worker
     * @return what to start
     */
    protected abstract ProcessSpec lasting(String workerId);

    /**
     * What {@link #controller()} is unable to start.
     *
     * @param workerId the worker
     * @return what to start
     */
    protected abstract ProcessSpec unstartable(String workerId);

    /**
     * Starts a process that soon ends by itself.
     *
     * @param workerId the worker
     * @param code with this exit code
     * @return the process
     */
    protected abstract WorkerProcess endingWith(String workerId, int code);

    /**
     * Starts a process that takes no notice of {@link WorkerProcess#terminate()}.
     *
     * @param workerId the worker
     * @return the process, as soon as it takes no notice; default: there is none
     */
    protected Optional<WorkerProcess> stubborn(String workerId) {
        return Optional.empty();
    }

    /**
     * Starts a process that prints lines of ASCII, each with one line feed, and runs on.
     *
     * @param workerId the worker
     * @param lines the lines, without their ends
     * @return the process, which may print them later; default: output is not recorded, and
     *     {@link WorkerProcess#recordsOutput()} says so
     */
    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
        return Optional.empty();
    }

    /**
     * Starts a process with a child. Both run until they are asked to end.
     *
     * @param workerId the worker
     * @return the two, once both are there; default: processes have no children
     */
    protected Optional<Family> parent(String workerId) {
        return Optional.empty();
    }

    /**
     * Starts a process that soon ends by itself and leaves a child behind, which would run on.
     *
     * @param workerId the worker
     * @param code the exit code of the process
     * @return the two; default: processes have no children
     */
    protected Optional<Family> leavingChild(String workerId, int code) {
        return Optional.empty();
    }

    /**
     * Starts a process that ends when it is asked to, with a child that takes no notice of that.
     *
     * @param workerId the worker
     * @return the two, once both are there; default: processes have no children
     */
    protected Optional<Family> parentOfStubborn(String workerId) {
        return Optional.empty();
    }

    /**
     * Starts a process that does not end when it is asked to, but starts a child then, which takes no notice either.
     *
     * @param workerId the worker
     * @return the two, of which the child is not there yet; default: processes have no children
     */
    protected Optional<Family> forking(String workerId) {
        return Optional.empty();
    }

    /**
     * A command that prints the value of a variable of its environment, as its one line.
     *
     * @param variable the name of the variable
     * @return the program and its arguments; default: no programs are run
     */
    protected Optional<List<String>> printingVariable(String variable) {
        return Optional.empty();
    }

    /**
     * A command that prints the path of its working directory, as its one line.
     *
     * @return the program and its arguments; default: no programs are run
     */
    protected Optional<List<String>> printingDirectory() {
        return Optional.empty();
    }

    /**
     * A command that prints its arguments, a line for each.
     *
     * @param arguments the arguments
     * @return the program and its arguments; default: no programs are run
     */
    protected Optional<List<String>> printingArguments(String... arguments) {
        return Optional.empty();
    }

    /**
     * What is there now of what a controller must not leave behind after a failed start, or after the release of the
     * last process: files, directories, containers.
     *
     * @return their names, of this controller only; default: nothing can be left behind
     */
    protected Optional<Set<String>> leftovers() {
        return Optional.empty();
    }

    /**
     * The exit code of a process that {@link WorkerProcess#kill()} ended.
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
     * @param childRuns whether the child runs; asked also after the end
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
     * What is to be started, with nothing but a command.
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
