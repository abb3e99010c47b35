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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Uses up all file descriptors of this JVM. For a child JVM with a low limit. Classes that it needs later must be
 * loaded before, because classes in directories cannot be loaded without a descriptor.
 */
final class DescriptorShortage {

    private static final List<String> PACKAGES = List.of(
            "io/github/workerregistry", "io/github/workerregistry/internal", "io/github/workerregistry/process");

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

    /** A class of the JDK whose initialisation fails without a descriptor can never be used again. */
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

    /**
     * Uses up all free descriptors, including those closed since the last call. Repeats that after a while: the JVM
     * itself opens files for a moment (those of its control group, for example), and closes them afterwards.
     */
    void begin() {
        for (int i = 0; i < 4; i++) {
            takeAll();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        takeAll();
    }

    private void takeAll() {
        try {
            while (true) {
                taken.push(new FileInputStream("/dev/null"));
            }
        } catch (IOException none) {
            if (taken.isEmpty()) {
                throw new UncheckedIOException("this JVM has no free file descriptor", none);
            }
        }
    }

    void end() {
        leave(0);
    }

    /** Closes all but this number of them. */
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
