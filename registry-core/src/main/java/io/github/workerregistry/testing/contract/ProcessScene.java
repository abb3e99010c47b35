package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.contract.ProcessControllerContract.Family;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** The fixture of one check: its own processes, which are killed after it. */
final class ProcessScene implements AutoCloseable {

    private static final Duration CLEAN_UP_TIMEOUT = Duration.ofSeconds(5);

    private final ProcessControllerContract contract;
    private final ProcessController controller;
    private final PromptCalls calls;
    private final List<PromptProcess> started = new CopyOnWriteArrayList<>();

    ProcessScene(ProcessControllerContract contract) {
        this.contract = contract;
        this.controller = contract.controller();
        this.calls = new PromptCalls(contract.callLimit());
    }

    PromptCalls calls() {
        return calls;
    }

    int killedCode() {
        return contract.killedCode();
    }

    PromptProcess longRunning(String workerId) {
        return start(contract.longRunning(workerId));
    }

    PromptProcess start(ProcessSpec spec) {
        return watch(calls.get("start()", () -> controller.start(spec)));
    }

    /** Starts this number of processes concurrently, each for its own worker. */
    List<PromptProcess> startConcurrently(int workers) {
        List<ProcessSpec> specs = new CopyOnWriteArrayList<>();
        for (int i = 0; i < workers; i++) {
            specs.add(contract.longRunning("w" + i));
        }
        return calls.concurrently(workers, "start()", () -> watch(controller.start(specs.remove(0))));
    }

    ProcessSpec unstartable(String workerId) {
        return contract.unstartable(workerId);
    }

    Throwable failureOfStart(ProcessSpec spec) {
        return calls.failureOf(
                "the start of a process that cannot be started",
                () -> Optional.ofNullable(controller.start(spec)).map(this::watch)); // watched: killed after the check
    }

    OrphanReport reapOrphans() {
        return calls.get("reapOrphans()", contract.timeout(), controller::reapOrphans); // may take a few seconds
    }

    PromptProcess exitingWith(String workerId, int code) {
        return watch(notNull("exitingWith", contract.exitingWith(workerId, code)));
    }

    PromptProcess ignoringTerminate(String workerId) {
        return watch(given("ignoringTerminate", contract.ignoringTerminate(workerId)));
    }

    PromptProcess printing(String workerId, String... lines) {
        return given("printing", printingIfRecorded(workerId, lines));
    }

    /** Empty if output is not recorded. */
    Optional<PromptProcess> printingIfRecorded(String workerId, String... lines) {
        return contract.printing(workerId, lines).map(this::watch);
    }

    PromptFamily parent(String workerId) {
        return watch(given("parent", contract.parent(workerId)));
    }

    PromptFamily orphaningChild(String workerId, int code) {
        return watch(given("orphaningChild", contract.orphaningChild(workerId, code)));
    }

    PromptFamily parentOfIgnoringChild(String workerId) {
        return watch(given("parentOfIgnoringChild", contract.parentOfIgnoringChild(workerId)));
    }

    PromptFamily forking(String workerId) {
        return watch(given("forking", contract.forking(workerId)));
    }

    List<String> printingVariable(String variable) {
        return given("printingVariable", contract.printingVariable(variable));
    }

    List<String> printingDirectory() {
        return given("printingDirectory", contract.printingDirectory());
    }

    List<String> printingArguments(String... arguments) {
        return given("printingArguments", contract.printingArguments(arguments));
    }

    Set<String> leftovers() {
        return Set.copyOf(given("leftovers", contract.leftovers()));
    }

    /** The output of a command that prints and exits. */
    List<String> outputOf(List<String> command, Map<String, String> environment, Optional<Path> directory) {
        return outputOf(new ProcessSpec("w", command, environment, directory));
    }

    List<String> outputOf(ProcessSpec spec) {
        PromptProcess process = start(spec);
        awaitExit(process);
        return process.outputTail(100);
    }

    /** Waits for the exit by polling, as the supervisor's tick does. */
    ExitStatus awaitExit(PromptProcess process) {
        eventually("an exit status", () -> process.exitStatus().isPresent());
        return process.exitStatus().orElseThrow();
    }

    /** Waits for the exit notice only, without polling. */
    ExitStatus awaitNotice(CompletableFuture<ExitStatus> notice) {
        eventually("the completion of onExit", notice::isDone);
        try {
            return notice.join();
        } catch (CompletionException | CancellationException e) {
            throw new AssertionError("expected onExit not to fail, but it failed with " + e, e);
        }
    }

    void eventually(String expectation, BooleanSupplier condition) {
        if (!contract.awaitTrue(condition, contract.timeout())) {
            throw new AssertionError(
                    "expected " + expectation + " within " + contract.timeout() + ", but it did not occur");
        }
    }

    void notSoon(String expectation, BooleanSupplier condition) {
        contract.requireNotSoon(expectation, condition);
    }

    private PromptProcess watch(WorkerProcess process) {
        PromptProcess watched = new PromptProcess(process, calls);
        started.add(watched);
        return watched;
    }

    private PromptFamily watch(Family family) {
        return new PromptFamily(watch(family.process()), family.childRuns());
    }

    private static <T> T given(String hook, Optional<T> result) {
        return result.orElseThrow(() -> NotApplicableException.emptyHook(hook));
    }

    private static <T> T notNull(String hook, T value) {
        if (value == null) {
            throw new AssertionError("the hook " + hook + " returned null");
        }
        return value;
    }

    @Override
    public void close() throws Exception {
        try {
            started.forEach(process -> quietly(process::kill));
            started.forEach(process -> quietly(() -> {
                if (contract.awaitTrue(() -> process.exitStatus().isPresent(), CLEAN_UP_TIMEOUT)) {
                    process.release();
                }
            }));
        } finally {
            calls.close();
            contract.afterCheck();
        }
    }

    /** Ignores failures to kill a process, which other checks report. */
    private static void quietly(Runnable step) {
        try {
            step.run();
        } catch (AssertionError | RuntimeException ignored) {
            // other checks report it
        }
    }

    /** A process and its child, watched. */
    record PromptFamily(PromptProcess process, BooleanSupplier childRuns) {}
}
