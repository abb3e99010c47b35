package io.github.workerregistry.testing.contract;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import java.util.List;
import java.util.Optional;

/**
 * The contract of a {@link HealthProbe}, for tests of your implementation.
 *
 * <p>With JUnit, for a probe that reads a file for each worker (checks that are not applicable are reported as
 * skipped):
 *
 * <pre>{@code
 * class FileProbeTest extends HealthProbeContract {
 *     private final FileProbe probe = new FileProbe();
 *
 *     @TestFactory Stream<DynamicTest> fulfilsTheContract() {
 *         return checks().stream()
 *                 .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
 *     }
 *
 *     @Override protected HealthProbe probe() {
 *         return probe;
 *     }
 *
 *     @Override protected WorkerInfo healthy(String id) {
 *         probe.write(id, "ok");
 *         return worker(id, "http://127.0.0.1:8080");
 *     }
 *
 *     @Override protected Optional<WorkerInfo> unhealthy(String id) {
 *         probe.write(id, "out of memory");
 *         return Optional.of(worker(id, "http://127.0.0.1:8080"));
 *     }
 * }
 * }</pre>
 *
 * <p>Without a test framework: {@code new MyHealthProbeContract().verify()}.
 *
 * <p>Each hook creates a new worker with the behaviour in its name at each call; a hook that returns an
 * {@code Optional} may return empty if that behaviour is not supported. Stop servers that hooks start in
 * {@link #afterCheck()}.
 *
 * @since 0.1
 */
public abstract non-sealed class HealthProbeContract extends Contract {

    /** For subclasses. */
    protected HealthProbeContract() {}

    /**
     * The probe under test.
     *
     * @return the probe, the same during one check
     */
    protected abstract HealthProbe probe();

    /**
     * A worker that answers healthy immediately.
     *
     * @param id its id
     * @return the worker
     */
    protected abstract WorkerInfo healthy(String id);

    /**
     * A worker that answers unhealthy: over HTTP, with status 500.
     *
     * @param id its id
     * @return the worker; default: not supported
     */
    protected Optional<WorkerInfo> unhealthy(String id) {
        return Optional.empty();
    }

    /**
     * A worker that has exited: no process listens at its url.
     *
     * @param id its id
     * @return the worker; default: not supported
     */
    protected Optional<WorkerInfo> exited(String id) {
        return Optional.empty();
    }

    /**
     * A worker that sends an invalid answer: for an HTTP probe, one that is not HTTP.
     *
     * @param id its id
     * @return the worker; default: not supported
     */
    protected Optional<WorkerInfo> malformed(String id) {
        return Optional.empty();
    }

    /**
     * A worker that answers healthy after a delay, much less than 10 s.
     *
     * @param id its id
     * @return the worker; default: not supported
     */
    protected Optional<WorkerInfo> slow(String id) {
        return Optional.empty();
    }

    /**
     * A worker that accepts the request and never answers.
     *
     * @param id its id
     * @return the worker; default: not supported
     */
    protected Optional<WorkerInfo> silent(String id) {
        return Optional.empty();
    }

    /**
     * A worker whose url is invalid for this probe.
     *
     * @param id its id
     * @return the worker; default: every url is valid
     */
    protected Optional<WorkerInfo> invalidUrl(String id) {
        return Optional.empty();
    }

    /**
     * Creates a worker to be probed.
     *
     * @param id its id
     * @param url its url
     * @return the worker, in state Loading
     */
    protected static WorkerInfo worker(String id, String url) {
        return WorkerInfo.builder().id(id).url(url).modelRef("model").build();
    }

    @Override
    public final List<ContractCheck> checks() {
        return ProbeChecks.all().stream()
                .map(check -> check.on(() -> new ProbeScene(this)))
                .toList();
    }
}
