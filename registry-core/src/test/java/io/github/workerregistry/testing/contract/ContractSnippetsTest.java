package io.github.workerregistry.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apiguardian.api.API;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.commons.annotation.Testable;
import org.opentest4j.TestAbortedException;

/** The examples in the Javadoc of the contracts are compiled and run against a correct implementation. */
@ExtendWith(UnexpectedWarnings.class)
class ContractSnippetsTest {

    private static final String IMPORTS = """
            import io.github.workerregistry.*;
            import io.github.workerregistry.health.*;
            import io.github.workerregistry.process.*;
            import io.github.workerregistry.testing.*;
            import io.github.workerregistry.testing.contract.*;
            import java.time.*;
            import java.util.*;
            import java.util.concurrent.*;
            import java.util.stream.*;
            import org.junit.jupiter.api.*;
            """;

    private static final String MY_CONTROLLER = """
            class MyProcessController implements ProcessController {
                private final ProcessController local = LocalProcessController.create();

                @Override public WorkerProcess start(ProcessSpec spec) {
                    return local.start(spec);
                }
            }
            """;

    private static final String FILE_PROBE = """
            class FileProbe implements HealthProbe {
                private final Map<String, String> files = new ConcurrentHashMap<>();

                void write(String id, String text) {
                    files.put(id, text);
                }

                @Override public CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
                    String text = files.get(worker.id());
                    return CompletableFuture.completedFuture(
                            text.equals("ok") ? HealthStatus.healthy() : HealthStatus.unhealthy(text));
                }
            }
            """;

    @Test
    @EnabledOnOs(OS.LINUX)
    void processControllerExampleRuns(@TempDir Path classes) throws Exception {
        Contract example = compiled(ProcessControllerContract.class, "MyProcessControllerTest", MY_CONTROLLER, classes);

        assertThat(example.verify().passed()).hasSizeGreaterThan(30);
    }

    @Test
    void healthProbeExampleRuns(@TempDir Path classes) throws Exception {
        Contract example = compiled(HealthProbeContract.class, "FileProbeTest", FILE_PROBE, classes);

        assertThat(example.verify().passed()).hasSizeGreaterThan(5);
    }

    private static Contract compiled(Class<?> documented, String name, String underTest, Path classes)
            throws Exception {
        Path source = Files.writeString(classes.resolve(name + ".java"), IMPORTS + snippetOf(documented) + underTest);
        String classPath = Stream.of(
                        WorkerRegistry.class, Test.class, TestAbortedException.class, Testable.class, API.class)
                .map(ContractSnippetsTest::locationOf)
                .collect(Collectors.joining(File.pathSeparator));
        StringWriter out = new StringWriter();
        int code = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        new PrintWriter(out),
                        new PrintWriter(out),
                        "-proc:none",
                        "-cp",
                        classPath,
                        "-d",
                        classes.toString(),
                        source.toString());
        assertThat(code).as("%s", out).isZero();
        // Not closed: classes are loaded from it while the contract runs.
        ClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, ContractSnippetsTest.class.getClassLoader());
        var constructor = loader.loadClass(name).getDeclaredConstructor();
        constructor.setAccessible(true);
        return (Contract) constructor.newInstance();
    }

    /** The example in the Javadoc of a class. */
    private static String snippetOf(Class<?> documented) throws IOException {
        String source =
                Files.readString(Path.of("src/main/java", documented.getName().replace('.', '/') + ".java"));
        Matcher snippet = Pattern.compile("<pre>\\{@code\n(.*?)\n \\* }</pre>", Pattern.DOTALL)
                .matcher(source);
        assertThat(snippet.find())
                .as("an example in the Javadoc of %s", documented)
                .isTrue();
        return snippet.group(1)
                        .lines()
                        .map(line -> line.replaceFirst("^ \\* ?", ""))
                        .collect(Collectors.joining("\n")) + "\n";
    }

    private static String locationOf(Class<?> type) {
        return Path.of(URI.create(
                        type.getProtectionDomain().getCodeSource().getLocation().toString()))
                .toString();
    }
}
