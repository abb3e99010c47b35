package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.config.ConfigException;
import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.pool.UpdateReport;
import io.github.workerregistry.pool.WorkerPool;
import java.io.IOException;
import java.util.List;

/** Reads the configuration again while the hive runs. An invalid one changes nothing. */
final class ConfigReload {

    private final ConfigFile file;
    private final WorkerPool pool;

    /** What happens to each model: the lists of {@link UpdateReport}, which documents them. */
    record ReloadJson(
            List<String> unchanged,
            List<String> live,
            List<String> surge,
            List<String> inPlace,
            List<String> added,
            List<String> removed) {}

    ConfigReload(ConfigFile file, WorkerPool pool) {
        this.file = file;
        this.pool = pool;
    }

    ConfigFile file() {
        return file;
    }

    /** The endpoint. */
    Answer reload(Exchange exchange) {
        try {
            UpdateReport report = reload();
            return Answer.ok(new ReloadJson(
                    report.unchanged(),
                    report.live(),
                    report.surge(),
                    report.inPlace(),
                    report.added(),
                    report.removed()));
        } catch (ConfigException | IOException e) {
            throw new Refusal(422, "invalid_config", e.getMessage());
        }
    }

    /** One at a time: what was read last is applied last. */
    synchronized UpdateReport reload() throws IOException {
        return pool.update(file.read());
    }
}
