package io.github.workerregistry.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.dispatcher.Dispatcher;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs in the README are what they claim to be. */
@ExpectWarnings("is gone: CRASHED") // the test in the README lets a worker crash
class ReadmeTest {

    private static final String IMPORTS = """
            import io.github.workerregistry.*;
            import io.github.workerregistry.health.*;
            import io.github.workerregistry.lifecycle.*;
            import java.time.*;
            import java.util.concurrent.*;
            """;

    /** What a test of a host imports besides. */
    private static final String TEST_IMPORTS = """
            import io.github.workerregistry.examples.dispatcher.*;
            import io.github.workerregistry.testing.*;
            import java.io.*;
            import static org.assertj.core.api.Assertions.*;
            """;

    @Test
    void theProgramInTheReadmeCompilesAndHasFifteenLines(@TempDir Path classes) throws Exception {
        String program = programUnder("## In fifteen lines");
        assertThat(program.lines()).hasSize(15);

        compile("Quickstart", IMPORTS + program, List.of("-Xlint:all", "-Werror"), classes, WorkerRegistry.class);

        assertThat(classes.resolve("Quickstart.class")).exists();
    }

    @Test
    void theTestInTheReadmeCompilesAndPasses(@TempDir Path classes) throws Exception {
        String body = programUnder("## Testing your own hive");
        String test = IMPORTS + TEST_IMPORTS + """
                public class MyHiveTest {
                    public static void passes(WorkerSpec spec) throws Exception {
                        %s
                    }
                }
                """.formatted(body);

        compile("MyHiveTest", test, List.of(), classes, WorkerRegistry.class, Dispatcher.class, Assertions.class);

        try (URLClassLoader loader = new URLClassLoader(
                new URL[] {classes.toUri().toURL()}, getClass().getClassLoader())) {
            Method passes = loader.loadClass("MyHiveTest").getMethod("passes", WorkerSpec.class);
            passes.invoke(
                    null,
                    WorkerSpec.builder()
                            .modelRef("tiny")
                            .command("serve")
                            .url("http://worker")
                            .build());
        }
    }

    private static String programUnder(String heading) throws IOException {
        Matcher block = Pattern.compile(
                        Pattern.quote("\n" + heading + "\n") + "(?:(?!\n## ).)*?```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("..", "README.md")));
        assertThat(block.find())
                .as("a Java program under %s in README.md", heading)
                .isTrue();
        return block.group(1);
    }

    private static void compile(String name, String program, List<String> options, Path classes, Class<?>... classPath)
            throws Exception {
        StringWriter complaints = new StringWriter();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringBuilder places = new StringBuilder();
        for (Class<?> type : classPath) {
            places.append(placeOf(type)).append(File.pathSeparator);
        }
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of("-d", classes.toString(), "-cp", places.toString()));

        boolean compiled = compiler.getTask(complaints, null, null, arguments, null, List.of(source(name, program)))
                .call();

        assertThat(compiled).as("%s", complaints).isTrue();
    }

    private static String placeOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }

    private static JavaFileObject source(String name, String text) {
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        };
    }
}
