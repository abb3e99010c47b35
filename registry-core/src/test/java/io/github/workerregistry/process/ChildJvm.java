package io.github.workerregistry.process;

import java.io.File;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts a main class of the tests in its own JVM. */
@SuppressWarnings("exports") // a test class in an exported package, not visible to users
public final class ChildJvm {

    private ChildJvm() {}

    /** The command line, with the class path of this JVM. */
    public static List<String> command(Class<?> main, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                classPath(),
                main.getName()));
        command.addAll(List.of(args));
        return command;
    }

    /** Surefire runs with the module path and patches the tests into the module; a child uses the class path. */
    private static String classPath() {
        String own = ChildJvm.class.getName().replace('.', '/') + ".class";
        try {
            URI file = ChildJvm.class.getResource("ChildJvm.class").toURI();
            String tests = Path.of(file).toString().replace(own, "");
            return String.join(
                    File.pathSeparator,
                    tests,
                    System.getProperty("java.class.path", ""),
                    System.getProperty("jdk.module.path", ""));
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
