package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Refusal;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The directory that the files of models must be in.
 *
 * @param directory the directory; empty if any file may be used
 */
record ModelsDirectory(Optional<Path> directory) {

    /**
     * Checks the file of a model; a relative path is one within the directory. Follows links.
     *
     * @return the path of the file
     * @throws Refusal if it is outside of the directory, or does not exist in it
     */
    String require(String file) {
        if (directory.isEmpty()) {
            return file;
        }
        try {
            Path root = directory.get().toRealPath();
            Path real = root.resolve(file).toRealPath();
            if (real.startsWith(root)) {
                return real.toString();
            }
        } catch (IOException | InvalidPathException e) {
            // as one that is outside: what exists there is not told
        }
        throw Refusal.invalid("model_path is no file in the directory of the models");
    }
}
