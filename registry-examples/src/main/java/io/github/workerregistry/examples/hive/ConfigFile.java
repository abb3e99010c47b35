package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.config.ConfigException;
import io.github.workerregistry.pool.PoolConfig;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The file of {@code --config}. Thread-safe. */
final class ConfigFile {

    private final HiveConfig reader;
    private final Path path;
    private String lastRead = "";

    ConfigFile(HiveConfig reader, Path path) {
        this.reader = reader;
        this.path = path;
    }

    /**
     * Reads the file.
     *
     * @throws ConfigException if it is not valid; names every fault
     * @throws IOException if it cannot be read; the message says why
     */
    synchronized PoolConfig read() throws IOException {
        lastRead = text();
        return reader.parse(path.toString(), lastRead);
    }

    /** The text of the file now. */
    String text() throws IOException {
        try {
            return Files.readString(path);
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + path, e);
        } catch (CharacterCodingException e) {
            throw new IOException(path + " is not in UTF-8", e);
        }
    }

    /** Whether a text is other than what {@link #read} has read last, valid or not. */
    synchronized boolean differs(String text) {
        return !text.equals(lastRead);
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
