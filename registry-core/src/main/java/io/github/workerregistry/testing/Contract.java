package io.github.workerregistry.testing;

import static io.github.workerregistry.testing.Expect.interrupted;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * What an SPI promises, as checks that every implementation of it can be put through. Needs no test framework.
 *
 * <p>Extend {@link ProcessControllerContract} or {@link HealthProbeContract}, fill the hooks, and either map
 * {@link #checks()} to tests of your framework, or call {@link #verify()}.
 *
 * <p>Each check stands alone: it gets processes, or workers, of its own, and what it started is ended after it. Every
 * call of a method of the SPI is made on a thread that belongs to the check, so that one which blocks for ever is a
 * failure and no end of the run; hooks are called on the thread that runs the check.
 */
public abstract sealed class Contract permits ProcessControllerContract, HealthProbeContract {

    private static final long POLL_MILLIS = 10;
    private static final Duration MOMENT = Duration.ofMillis(200);

    Contract() {}

    /**
     * The promises.
     *
     * @return all checks, by topic; the same for every implementation
     */
    public abstract List<ContractCheck> checks();

    /**
     * Runs all checks, one after the other, on this thread.
     *
     * @return what became of each
     */
    public final ContractReport report() {
        List<String> passed = new ArrayList<>();
        Map<String, String> notApplicable = new LinkedHashMap<>();
        Map<String, Throwable> failed = new LinkedHashMap<>();
        for (ContractCheck check : checks()) {
            try {
                check.run(reason -> notApplicable.put(check.name(), reason));
                if (!notApplicable.containsKey(check.name())) {
                    passed.add(check.name());
                }
            } catch (Exception | AssertionError e) {
                failed.put(check.name(), e);
            }
        }
        return new ContractReport(passed, notApplicable, failed);
    }

    /**
     * Runs all checks as {@link #report()} does, and fails if one of them does.
     *
     * @return what became of each: passed, or not applicable
     * @throws AssertionError if a promise is broken; lists every failed check by name, with what was thrown as
     *     suppressed exceptions
     */
    public final ContractReport verify() {
        ContractReport report = report();
        if (!report.failed().isEmpty()) {
            AssertionError all = new AssertionError("the contract is broken: " + report);
            report.failed().values().forEach(all::addSuppressed);
            throw all;
        }
        return report;
    }

    /**
     * Lets time pass until a condition holds. Override where time is virtual (advance it, and ask), or where things
     * happen at once (ask).
     *
     * @param condition asked again and again, on this thread
     * @param atMost when to give up
     * @return whether the condition came true; the default asks every 10 ms of real time
     */
    protected boolean comesTrue(BooleanSupplier condition, Duration atMost) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin >= atMost.toNanos()) {
                return false;
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
        return true;
    }

    /** Lets a moment pass and looks all the while. */
    final void requireNotSoon(String expectation, BooleanSupplier condition) {
        if (comesTrue(condition, MOMENT)) {
            throw new AssertionError("expected " + expectation + " not to come");
        }
    }

    /**
     * How long something may take that has to happen but need not happen at once. Only a check that fails takes that
     * long.
     *
     * @return default 20 s
     */
    protected Duration patience() {
        return Duration.ofSeconds(20);
    }

    /**
     * How long a call may take that has to return at once. Generous, because the machine may be busy.
     *
     * @return default 5 s
     */
    protected Duration callLimit() {
        return Duration.ofSeconds(5);
    }

    /**
     * Gives back what the hooks made for a check. Called after each check, however it ended; the default does nothing.
     *
     * @throws Exception fails the check, if nothing else has
     */
    protected void afterCheck() throws Exception {}
}
