package io.github.workerregistry.process;

import java.io.Closeable;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes all file descriptors that this JVM may have. For a JVM of its own that is given few: it has to load before what
 * it will need, for classes in directories cannot be loaded then.
 */
final class DescriptorShortage {

    private static final List<String> PACKAGES =
            List.of("io/github/workerregistry", "io/github/workerregistry/process");

    private final Deque<Closeable> taken = new ArrayDeque<>();

    DescriptorShortage() {
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(Files::isDirectory)
                .forEach(DescriptorShortage::load);
        Logger log = LoggerFactory.getLogger(DescriptorShortage.class);
        log.warn("the log opens its files", new IOException("and loads its classes"));
        loadClassesOfTheJdk();
    }

    /** A class of the JDK that fails to initialize for want of a descriptor cannot be used ever after. */
    private void loadClassesOfTheJdk() {
        try {
            Files.readString(Path.of("/proc/self/comm"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        begin();
        end();
    }

    private static void load(Path classes) {
        for (String name : PACKAGES) {
            if (Files.isDirectory(classes.resolve(name))) {
                try (Stream<Path> files = Files.list(classes.resolve(name))) {
                    files.filter(file -> file.toString().endsWith(".class")).forEach(file -> load(classes, file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private static void load(Path classes, Path file) {
        String name = classes.relativize(file).toString().replace(".class", "").replace('/', '.');
        try {
            Class.forName(name, false, DescriptorShortage.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    /** Takes what is free, also what others have given back since. */
    void begin() {
        try {
            while (true) {
                taken.push(new FileInputStream("/dev/null"));
            }
        } catch (IOException none) {
            if (taken.isEmpty()) {
                throw new UncheckedIOException("this JVM has no file descriptor at all", none);
            }
        }
    }

    void end() {
        leave(0);
    }

    /** Gives back all but so many. */
    void leave(int count) {
        try {
            while (taken.size() > count) {
                taken.pop().close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int size() {
        return taken.size();
    }
}
