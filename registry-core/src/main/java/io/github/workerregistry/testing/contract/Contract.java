package io.github.workerregistry.testing.contract;

import static io.github.workerregistry.testing.contract.Expect.interrupted;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * The contract of an SPI as a list of checks for its implementations. Needs no test framework.
 *
 * <p>Extend {@link ProcessControllerContract} or {@link HealthProbeContract}, implement the hooks, and either map
 * {@link #checks()} to tests of your framework, or call {@link #verify()}.
 *
 * <p>Checks are independent: each has its own processes or workers, which are ended after it. SPI methods are called on
 * a separate thread, so that a call that blocks for ever fails the check but does not block the run; hooks are called
 * on the thread that runs the check.
 *
 * @since 0.1
 */
public abstract sealed class Contract permits ProcessControllerContract, HealthProbeContract {

    private static final long POLL_MILLIS = 10;
    private static final Duration MOMENT = Duration.ofMillis(200);

    Contract() {}

    /**
     * The checks of this contract.
     *
     * @return all checks, by topic; the same for every implementation
     */
    public abstract List<ContractCheck> checks();

    /**
     * Runs all checks sequentially on the calling thread.
     *
     * @return the result of each check
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
     * Runs all checks as {@link #report()} does, and throws if one fails.
     *
     * @return the result of each check: passed, or not applicable
     * @throws AssertionError if a check fails; lists every failed check by name, with the failures as suppressed
     *     exceptions
     */
    public final ContractReport verify() {
        ContractReport report = report();
        if (!report.failed().isEmpty()) {
            AssertionError all = new AssertionError("contract violated: " + report);
            report.failed().values().forEach(all::addSuppressed);
            throw all;
        }
        return report;
    }

    /**
     * Waits until a condition holds. Override for virtual time (advance it, and test the condition), or if effects are
     * immediate (test it once).
     *
     * @param condition tested repeatedly, on the calling thread
     * @param atMost the timeout
     * @return whether the condition became true; the default tests it every 10 ms of real time
     */
    protected boolean awaitTrue(BooleanSupplier condition, Duration atMost) {
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

    /** Fails if a condition becomes true within 200 ms. */
    final void requireNotSoon(String expectation, BooleanSupplier condition) {
        if (awaitTrue(condition, MOMENT)) {
            throw new AssertionError("expected " + expectation + " not to occur");
        }
    }

    /**
     * The timeout for effects that need not be immediate. Only a failing check takes that long.
     *
     * @return default 20 s
     */
    protected Duration timeout() {
        return Duration.ofSeconds(20);
    }

    /**
     * The timeout for calls that must return immediately. Generous, because the machine may be busy.
     *
     * @return default 5 s
     */
    protected Duration callLimit() {
        return Duration.ofSeconds(5);
    }

    /**
     * Releases what the hooks created for a check. Called after each check, passed or failed; the default does nothing.
     *
     * @throws Exception fails the check, unless it has already failed
     */
    protected void afterCheck() throws Exception {}
}
