package io.github.workerregistry.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.dispatcher.Dispatcher;
import io.github.workerregistry.examples.hive.FreePorts;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** The programs in the README are what they claim to be. */
@ExpectWarnings("is gone: CRASHED") // the test in the README lets a worker crash
class ReadmeTest {

    private static final String IMPORTS = """
            import com.sun.net.httpserver.*;
            import io.github.workerregistry.*;
            import io.github.workerregistry.health.*;
            import io.github.workerregistry.lifecycle.*;
            import java.io.*;
            import java.net.*;
            import java.net.http.*;
            import java.net.http.HttpResponse.*;
            import java.time.*;
            import java.util.concurrent.*;
            """;

    /** What a test of a host imports besides. */
    private static final String TEST_IMPORTS = """
            import io.github.workerregistry.examples.dispatcher.*;
            import io.github.workerregistry.testing.*;
            import static org.assertj.core.api.Assertions.*;
            """;

    @Test
    void theFirstProgramSendsARequestToItsWorkerAndEndsAndLeavesNothing(@TempDir Path scratch) throws Exception {
        compileQuickstart(program(0), scratch);

        Ran ran = run(scratch);

        assertThat(ran.exitCode).as(ran.output).isZero();
        assertThat(ran.output.lines()).contains("Hello from a worker");
    }

    @Test
    void theFirstProgramEndsAndSaysWhyIfTheWorkerCannotBeStarted(@TempDir Path scratch) throws Exception {
        String program = program(0);
        compileQuickstart(program.replace("/bin/java", "/bin/no-such-program"), scratch);

        Ran ran = run(scratch);

        assertThat(ran.exitCode).as(ran.output).isEqualTo(1);
        assertThat(ran.output).contains("SpawnException", "/bin/no-such-program");
    }

    @Test
    void theFirstProgramEndsAndSaysWhyIfTheWorkerCrashes(@TempDir Path scratch) throws Exception {
        compileQuickstart(program(0).replace("\"Quickstart\"", "\"NoSuchMainClass\""), scratch);

        Ran ran = run(scratch);

        assertThat(ran.exitCode).as(ran.output).isEqualTo(1);
        assertThat(ran.output).contains("no worker serves tiny");
    }

    @Test
    void theOrderOfTheEndInTheReadmeEndsServerWorkersAndLoops(@TempDir Path classes) throws Exception {
        String end = IMPORTS + """
                public class End {
                    public static void of(HttpServer server, WorkerSupervisor supervisor, ScheduledExecutorService scheduler) {
                        %s
                    }
                }
                """.formatted(program(1));
        compile("End", end, List.of("-Xlint:all", "-Werror"), classes, WorkerRegistry.class);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        FakeProcessController processes = new FakeProcessController();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(WorkerRegistry.create(), scheduler)
                .processes(processes)
                .build();
        WorkerSpec spec = spec();
        supervisor.spawn(spec);

        try (URLClassLoader loader = loaderOf(classes)) {
            loader.loadClass("End")
                    .getMethod("of", HttpServer.class, WorkerSupervisor.class, ScheduledExecutorService.class)
                    .invoke(null, server, supervisor, scheduler);
        }

        assertThat(scheduler.awaitTermination(20, TimeUnit.SECONDS)).isTrue(); // it was shut down
        assertThat(processes.running()).isEmpty();
        assertThatThrownBy(() -> supervisor.spawn(spec)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> new Socket(
                                InetAddress.getLoopbackAddress(),
                                server.getAddress().getPort())
                        .close())
                .isInstanceOf(IOException.class);
    }

    @Test
    void theTestInTheReadmeCompilesAndPasses(@TempDir Path classes) throws Exception {
        String body = programUnder("## Testing your own hive", 0);
        String test = IMPORTS + TEST_IMPORTS + """
                public class MyHiveTest {
                    public static void passes(WorkerSpec spec) throws Exception {
                        %s
                    }
                }
                """.formatted(body);

        compile("MyHiveTest", test, List.of(), classes, WorkerRegistry.class, Dispatcher.class, Assertions.class);

        try (URLClassLoader loader = loaderOf(classes)) {
            loader.loadClass("MyHiveTest").getMethod("passes", WorkerSpec.class).invoke(null, spec());
        }
    }

    private static WorkerSpec spec() {
        return WorkerSpec.builder()
                .modelRef("tiny")
                .command("serve")
                .url("http://worker")
                .build();
    }

    private static URLClassLoader loaderOf(Path classes) throws IOException {
        return new URLClassLoader(new URL[] {classes.toUri().toURL()}, ReadmeTest.class.getClassLoader());
    }

    /** One of the programs under "A first program". */
    private static String program(int index) throws IOException {
        return programUnder("## A first program", index);
    }

    private static String programUnder(String heading, int index) throws IOException {
        String readme = Files.readString(Path.of("..", "README.md"));
        int begin = readme.indexOf("\n" + heading + "\n");
        assertThat(begin).as(heading).isNotNegative();
        int end = readme.indexOf("\n## ", begin + 1);
        List<String> programs = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(readme.substring(begin, end < 0 ? readme.length() : end))
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(programs).as("Java programs under %s in README.md", heading).hasSizeGreaterThan(index);
        return programs.get(index);
    }

    private static Path classesIn(Path scratch) {
        return scratch.resolve("classes");
    }

    /** With ports of its own: another test may use the default ones at the same time. */
    private static void compileQuickstart(String program, Path scratch) throws Exception {
        String builder = "WorkerSupervisor.builder(registry, scheduler)";
        String[] ports = FreePorts.range(10).split("-", -1);
        assertThat(program).contains(builder);
        String withPorts =
                program.replace(builder, builder + ".ports(PortRange.of(%s, %s))".formatted(ports[0], ports[1]));
        Files.createDirectories(classesIn(scratch));
        compile(
                "Quickstart",
                IMPORTS + withPorts,
                List.of("-Xlint:all", "-Werror"),
                classesIn(scratch),
                WorkerRegistry.class);
    }

    /** How a run of the program came out. */
    private record Ran(int exitCode, String output) {}

    /** Runs it in a JVM of its own, with nothing but the library, and looks what it leaves. */
    private static Ran run(Path scratch) throws Exception {
        Path temporary = Files.createDirectories(scratch.resolve("tmp"));
        Path output = scratch.resolve("output");
        String mark = UUID.randomUUID().toString();
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        String.join(
                                File.pathSeparator,
                                classesIn(scratch).toString(),
                                placeOf(WorkerRegistry.class),
                                placeOf(Logger.class)),
                        "Quickstart")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("README_RUN", mark);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        assertThat(temporary).as("what it leaves in the temporary directory").isEmptyDirectory();
        await().untilAsserted(
                        () -> assertThat(processesWith("README_RUN=" + mark)).isEmpty());
        return new Ran(process.exitValue(), Files.readString(output));
    }

    /** Pids of the processes whose environment has that; nothing where there is no /proc. */
    private static List<Path> processesWith(String variable) throws IOException {
        if (!Files.isDirectory(Path.of("/proc/self"))) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                try {
                    if (Files.readString(process.resolve("environ"), ISO_8859_1).contains(variable)) {
                        found.add(process);
                    }
                } catch (IOException gone) {
                    // it is not there any more, or not ours to read
                }
            }
        }
        return found;
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
