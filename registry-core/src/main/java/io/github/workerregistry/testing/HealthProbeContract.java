package io.github.workerregistry.testing;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import java.util.List;
import java.util.Optional;

/**
 * What everybody may expect of a {@link HealthProbe}: run it against your own.
 *
 * <p>With JUnit, for a probe that looks for a file of each worker's name (the checks of what it cannot be asked for are
 * reported as skipped):
 *
 * <pre>{@code
 * class FileProbeTest extends HealthProbeContract {
 *     private final FileProbe probe = new FileProbe();
 *
 *     @TestFactory Stream<DynamicTest> keepsTheContract() {
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
 * <p>A hook makes a worker of the kind that its name says, anew at each call; one whose result is an {@code Optional}
 * may say that there is no such thing here. Servers and the like that hooks start are ended in {@link #afterCheck()}.
 */
public abstract non-sealed class HealthProbeContract extends Contract {

    /** For the hooks to be filled. */
    protected HealthProbeContract() {}

    /**
     * The probe under test.
     *
     * @return the same one, at least during one check
     */
    protected abstract HealthProbe probe();

    /**
     * A worker that is well and says so at once.
     *
     * @param id its id
     * @return the worker
     */
    protected abstract WorkerInfo healthy(String id);

    /**
     * A worker that answers, and says that it is not well: over HTTP, with status 500.
     *
     * @param id its id
     * @return the worker; default: a worker cannot say that
     */
    protected Optional<WorkerInfo> unhealthy(String id) {
        return Optional.empty();
    }

    /**
     * A worker that is not there any more: nobody listens at its url.
     *
     * @param id its id
     * @return the worker; default: that cannot be seen
     */
    protected Optional<WorkerInfo> dead(String id) {
        return Optional.empty();
    }

    /**
     * A worker that answers with what is no answer: over HTTP, what is not HTTP.
     *
     * @param id its id
     * @return the worker; default: whatever a worker says is an answer
     */
    protected Optional<WorkerInfo> garbled(String id) {
        return Optional.empty();
    }

    /**
     * A worker that is well and takes a moment to say so, much less than 10 s.
     *
     * @param id its id
     * @return the worker; default: a worker cannot be slow
     */
    protected Optional<WorkerInfo> slow(String id) {
        return Optional.empty();
    }

    /**
     * A worker that takes the question and never answers.
     *
     * @param id its id
     * @return the worker; default: a worker cannot be silent
     */
    protected Optional<WorkerInfo> silent(String id) {
        return Optional.empty();
    }

    /**
     * A worker that cannot even be asked, because its url is none for this probe.
     *
     * @param id its id
     * @return the worker; default: any url will do
     */
    protected Optional<WorkerInfo> unaskable(String id) {
        return Optional.empty();
    }

    /**
     * A worker as a probe sees it.
     *
     * @param id its id
     * @param url where it is asked
     * @return the worker, loading
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
