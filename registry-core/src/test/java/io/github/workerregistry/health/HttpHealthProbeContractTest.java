package io.github.workerregistry.health;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.testing.contract.HealthProbeContract;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** The HTTP probe fulfils the contract, against servers with all kinds of answers. */
@ExtendWith(UnexpectedWarnings.class)
class HttpHealthProbeContractTest extends HealthProbeContract {

    private final HttpHealthProbe probe = HttpHealthProbe.at("/health");
    private final List<RawServer> servers = new ArrayList<>();

    @TestFactory
    Stream<DynamicTest> fulfilsTheContract() {
        return checks().stream()
                .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
    }

    @Override
    protected HealthProbe probe() {
        return probe;
    }

    @Override
    protected WorkerInfo healthy(String id) {
        return at(id, RawServer.saying(RawServer.status(200)));
    }

    @Override
    protected Optional<WorkerInfo> unhealthy(String id) {
        return Optional.of(at(id, RawServer.saying(RawServer.status(500))));
    }

    @Override
    protected Optional<WorkerInfo> exited(String id) {
        RawServer server = RawServer.silent();
        server.close();
        return Optional.of(worker(id, server.url()));
    }

    @Override
    protected Optional<WorkerInfo> malformed(String id) {
        return Optional.of(at(id, RawServer.saying("hello?\r\n\r\n")));
    }

    @Override
    protected Optional<WorkerInfo> slow(String id) {
        return Optional.of(at(id, RawServer.thinking(Duration.ofMillis(100), RawServer.status(200))));
    }

    @Override
    protected Optional<WorkerInfo> silent(String id) {
        return Optional.of(at(id, RawServer.silent()));
    }

    @Override
    protected Optional<WorkerInfo> invalidUrl(String id) {
        return Optional.of(worker(id, "not a url"));
    }

    private WorkerInfo at(String id, RawServer server) {
        servers.add(server);
        return worker(id, server.url());
    }

    @Override
    protected void afterCheck() {
        servers.forEach(RawServer::close);
        servers.clear();
    }
}
