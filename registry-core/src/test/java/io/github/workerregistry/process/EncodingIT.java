package io.github.workerregistry.process;

import static io.github.workerregistry.process.EncodingMain.NON_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Text that a JVM cannot pass to a process in its locale is rejected. Regression: it was replaced by question marks.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class EncodingIT {

    private static final String REMEDY =
            "; start the JVM in a UTF-8 locale, for example with LC_ALL=C.UTF-8 in its environment";

    @TempDir
    private Path scratch;

    @Test
    void allTextIsPassedInAUtf8Locale() throws Exception {
        Map<String, String> outcomes = run(Map.of("LC_ALL", "C.UTF-8"));

        assertThat(outcomes)
                .containsEntry("process", List.of(NON_ASCII, NON_ASCII).toString());
        outcomes.remove("process");
        assertThat(outcomes)
                .hasSize(8)
                .allSatisfy((what, outcome) -> assertThat(outcome).isEqualTo("taken, 1"));
    }

    @Test
    void nonAsciiTextIsRejectedInTheCLocale() throws Exception {
        assertAllRejectedByPosition(run(Map.of("LC_ALL", "C", "LANG", "C.UTF-8"))); // LC_ALL wins
    }

    /** As in most containers and services. */
    @Test
    void nonAsciiTextIsRejectedWithoutALocale() throws Exception {
        assertAllRejectedByPosition(run(Map.of()));
    }

    /** The JDK ignores this option. */
    @Test
    void nonAsciiTextIsRejectedDespiteAnEncodingOption() throws Exception {
        assertAllRejectedByPosition(run(Map.of(), "-Dsun.jnu.encoding=UTF-8"));
    }

    private static void assertAllRejectedByPosition(Map<String, String> outcomes) {
        assertThat(outcomes.get("program")).startsWith("the command's program has U+00E8 at index 3,");
        assertThat(outcomes.get("argument")).startsWith("argument 2 of the command has U+00E8 at index 3,");
        assertThat(outcomes.get("parameter")).startsWith("argument 1 of the command has U+00E8 at index 3,");
        assertThat(outcomes.get("model")).startsWith("environment variable WORKER_MODEL_REF has U+00E8 at index 3,");
        assertThat(outcomes.get("id")).startsWith("environment variable WORKER_ID has U+00E8 at index 3,");
        assertThat(outcomes.get("value")).startsWith("environment variable A has U+00E8 at index 3,");
        assertThat(outcomes.get("name")).startsWith("name of an environment variable has U+00E8 at index 4,");
        assertThat(outcomes.get("directory")).startsWith("directory models-{backend} is not a path after substitution");
        assertThat(outcomes.get("process")).startsWith("argument 4 of the command has U+00E8 at index 3,");
        outcomes.remove("directory");
        assertThat(outcomes)
                .hasSize(8)
                .allSatisfy((what, outcome) -> assertThat(outcome)
                        .endsWith(", which would reach the process as \"?\": the encoding for processes is US-ASCII"
                                + REMEDY));
    }

    /** Before JDK 18 the default charset, which can be set, is used; later it is not. */
    @Test
    @EnabledForJreRange(max = JRE.JAVA_17)
    void textIsPassedIfTheDefaultCharsetIsUtf8OnJdk17() throws Exception {
        Map<String, String> outcomes = run(Map.of(), "-Dfile.encoding=UTF-8");

        assertThat(outcomes)
                .containsEntry("argument", "taken, 1")
                .containsEntry("process", List.of(NON_ASCII, NON_ASCII).toString());
        assertThat(outcomes.get("directory")).startsWith("directory models-{backend} is not a path after substitution");
    }

    /** The outcome of each attempt, by its name. */
    private Map<String, String> run(Map<String, String> locale, String... options) throws Exception {
        List<String> command = ChildJvm.command(EncodingMain.class, scratch.toString());
        command.addAll(1, List.of(options));
        Path output = scratch.resolve("out");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(Redirect.from(Redirect.DISCARD.file()))
                .redirectOutput(output.toFile())
                .redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.equals("LANG") || name.startsWith("LC_"));
        builder.environment().putAll(locale);
        Process jvm = builder.start();
        try {
            assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(jvm.exitValue()).as(() -> read(output)).isZero();
        } finally {
            jvm.destroyForcibly().waitFor();
        }
        return read(output)
                .lines()
                .filter(line -> line.contains(": "))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf(": ")), line -> line.substring(line.indexOf(": ") + 2)));
    }

    private static String read(Path output) {
        try {
            return Files.readString(output, UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
