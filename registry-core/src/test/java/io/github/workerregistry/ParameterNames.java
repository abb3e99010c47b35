package io.github.workerregistry;

import static java.util.stream.Collectors.joining;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Executable;
import java.lang.reflect.Parameter;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.slf4j.Logger;

/**
 * The names of the library's parameters in its sources. Its class files do not keep them, so that the sources are
 * compiled a second time, with {@code -parameters}.
 */
final class ParameterNames {

    private static final Path SOURCES = Path.of("src/main/java");

    private final Map<String, List<String>> byExecutable = new HashMap<>();

    private ParameterNames() {}

    /** Compiles into a directory. */
    static ParameterNames read(Path scratch) throws Exception {
        compile(scratch);
        ParameterNames names = new ParameterNames();
        try (Twins twins = new Twins(scratch)) {
            for (String name : PublicTypes.names(scratch)) {
                names.add(twins.loadClass(name));
            }
        }
        return names;
    }

    /** Loads the library's classes from another directory. A parent loader would return those of this run. */
    private static final class Twins extends URLClassLoader {
        Twins(Path classes) throws IOException {
            super(new URL[] {classes.toUri().toURL()}, ParameterNames.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(ParameterNames.class.getPackageName())) {
                return super.loadClass(name, resolve);
            }
            Class<?> known = findLoadedClass(name);
            return known != null ? known : findClass(name);
        }
    }

    List<String> of(Executable executable) {
        return byExecutable.get(executable.toGenericString());
    }

    private void add(Class<?> twin) {
        Stream.of(twin.getDeclaredConstructors(), twin.getDeclaredMethods())
                .flatMap(Stream::of)
                .forEach(executable -> byExecutable.put(
                        executable.toGenericString(),
                        Stream.of(executable.getParameters())
                                .map(Parameter::getName)
                                .toList()));
    }

    private static void compile(Path scratch) throws IOException, URISyntaxException {
        StringWriter out = new StringWriter();
        Stream<String> options = Stream.of(
                "-parameters",
                "-proc:none",
                "-Xlint:none",
                "-d",
                scratch.toString(),
                "-cp",
                home(Logger.class) + File.pathSeparator + home(NullMarked.class));
        try (Stream<Path> files = Files.walk(SOURCES)) {
            Stream<String> sources = files.map(Path::toString)
                    .filter(file -> file.endsWith(".java") && !file.endsWith("module-info.java"));
            int code = ToolProvider.findFirst("javac")
                    .orElseThrow()
                    .run(
                            new PrintWriter(out),
                            new PrintWriter(out),
                            Stream.concat(options, sources).toArray(String[]::new));
            if (code != 0) {
                throw new AssertionError(out.toString().lines().limit(20).collect(joining("\n")));
            }
        }
    }

    private static Path home(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }
}
