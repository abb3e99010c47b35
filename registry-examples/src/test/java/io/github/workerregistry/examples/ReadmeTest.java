package io.github.workerregistry.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerRegistry;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeTest {

    private static final String IMPORTS = """
            import io.github.workerregistry.*;
            import io.github.workerregistry.health.*;
            import io.github.workerregistry.lifecycle.*;
            import java.time.*;
            import java.util.concurrent.*;
            """;

    @Test
    void theProgramInTheReadmeCompilesAndHasFifteenLines(@TempDir Path classes) throws Exception {
        String program = programOf(Files.readString(Path.of("..", "README.md")));
        assertThat(program.lines()).hasSize(15);
        StringWriter complaints = new StringWriter();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> options =
                List.of("-d", classes.toString(), "-cp", placeOf(WorkerRegistry.class), "-Xlint:all", "-Werror");

        boolean compiled = compiler.getTask(
                        complaints, null, null, options, null, List.of(source("Quickstart", IMPORTS + program)))
                .call();

        assertThat(compiled).as(complaints.toString()).isTrue();
        assertThat(classes.resolve("Quickstart.class")).exists();
    }

    private static String programOf(String readme) throws IOException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
        assertThat(block.find()).as("a Java program in README.md").isTrue();
        return block.group(1);
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
