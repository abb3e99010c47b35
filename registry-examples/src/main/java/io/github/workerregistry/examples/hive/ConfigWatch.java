package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.config.ConfigException;
import io.github.workerregistry.examples.http.ForeignText;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reloads the configuration when the text of its file has changed. The text is compared, not the time of a file or its
 * directory's events: so a rename, a swapped symbolic link anywhere on its path and a bind mount are seen, and the last
 * edit is never lost. A text is applied once it has been the same at two looks.
 */
final class ConfigWatch {

    /** Between two looks. */
    static final long LOOK_MILLIS = 200;

    private static final Logger log = LoggerFactory.getLogger(ConfigWatch.class);

    private final ConfigReload reload;
    private Optional<String> before = Optional.empty();

    ConfigWatch(ConfigReload reload) {
        this.reload = reload;
    }

    /** Reads the file, and reloads it if it has changed and is complete. May block. */
    synchronized void look() {
        Optional<String> now = text();
        boolean settled = now.equals(before);
        before = now;
        if (settled && now.filter(reload.file()::differs).isPresent()) {
            apply();
        }
    }

    private void apply() {
        try {
            reload.reload();
        } catch (ConfigException | IOException e) {
            log.warn("the configuration is not applied: {}", ForeignText.sanitised(e.getMessage()));
        } catch (IllegalStateException e) {
            log.debug("the hive is being closed", e);
        }
    }

    /** Empty while the file is missing, as between two steps of an editor. */
    private Optional<String> text() {
        try {
            return Optional.of(reload.file().text());
        } catch (IOException e) {
            log.debug("{} cannot be read", reload.file(), e);
            return Optional.empty();
        }
    }
}
