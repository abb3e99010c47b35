package io.github.workerregistry.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.CompletableFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.dispatcher.Dispatcher;
import io.github.workerregistry.examples.hive.FreePorts;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Exports;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** The programs in the documents compile and run, and the tables of the README match the library. */
@ExpectWarnings("has ended: CRASHED") // the tests in the documents let a worker crash
class ReadmeTest {

    private static final Path README = Path.of("..", "README.md");
    private static final Path EXAMPLES = Path.of("README.md");
    private static final Path POOL = Path.of("..", "registry-core", "docs", "pool.md");
    private static final Path QUICK_START = Path.of("Quickstart.java");

    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern DURATION = Pattern.compile("(\\d+) (ms|s|min|h)");

    private static final String IMPORTS = """
            import com.sun.net.httpserver.*;
            import io.github.workerregistry.*;
            import io.github.workerregistry.health.*;
            import io.github.workerregistry.lifecycle.*;
            import io.github.workerregistry.pool.*;
            import java.io.*;
            import java.net.*;
            import java.net.http.*;
            import java.net.http.HttpResponse.*;
            import java.time.*;
            import java.util.concurrent.*;
            """;

    /** Further imports of a test of a hive. */
    private static final String TEST_IMPORTS = """
            import io.github.workerregistry.examples.dispatcher.*;
            import io.github.workerregistry.testing.*;
            import static org.assertj.core.api.Assertions.*;
            """;

    @Test
    void quickStartFileIsTheProgramOfTheReadmeWithItsImports() throws IOException {
        String program = programUnder(README, "## Quick start", 0);

        assertThat(quickStart()).endsWith("\n\n" + program);
        assertThat(quickStart().replace("\n\n" + program, "").lines()).allMatch(line -> line.startsWith("import "));
    }

    @Test
    void quickStartSendsARequestToEachModelAndExitsLeavingNothing(@TempDir Path scratch) throws Exception {
        compileQuickstart(quickStart(), scratch);

        Ran ran = run(scratch);

        assertThat(ran.exitCode).as(ran.output).isZero();
        assertThat(ran.output.lines().filter(line -> line.startsWith("Hello"))).containsExactly("Hello", "Hello");
    }

    @Test
    void quickStartExitsWithTheReasonIfTheWorkerCannotBeStarted(@TempDir Path scratch) throws Exception {
        compileQuickstart(quickStart().replace("/bin/java", "/bin/no-such-program"), scratch);

        Ran ran = run(scratch);

        assertThat(ran.exitCode).as(ran.output).isEqualTo(1);
        assertThat(ran.output).contains("model tiny failed to load", "/bin/no-such-program");
    }

    @Test
    void quickStartExitsWithTheReasonIfTheWorkerCrashes(@TempDir Path scratch) throws Exception {
        compileQuickstart(quickStart().replace("\"Quickstart\"", "\"NoSuchMainClass\""), scratch);

        Ran ran = run(scratch);

        assertThat(ran.exitCode).as(ran.output).isEqualTo(1);
        assertThat(ran.output).contains("model tiny failed to load: CRASHED, exit code 1");
    }

    @Test
    void shutdownOrderStopsServerWorkersAndLoops(@TempDir Path classes) throws Exception {
        String end = IMPORTS + """
                public class End {
                    public static void of(HttpServer server, WorkerSupervisor supervisor, ScheduledExecutorService scheduler) {
                        %s
                    }
                }
                """.formatted(programUnder(EXAMPLES, "## Shutdown order", 0));
        compile("End", end, List.of("-Xlint:all", "-Werror"), classes, WorkerRegistry.class);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        FakeProcessController processes = new FakeProcessController();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(WorkerRegistry.create(), scheduler)
                .processController(processes)
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
    void exampleOfThePoolLoadsAModelAndSendsARequest(@TempDir Path classes) throws Exception {
        String example = IMPORTS + """
                public class PoolExample {
                    public static String sent;
                    public static void run(WorkerRegistry registry, WorkerSupervisor supervisor, String request)
                            throws InterruptedException {
                        %s
                    }
                    private static void send(String request, String url) {
                        sent = request + " to " + url;
                    }
                }
                """.formatted(programUnder(POOL, "## Example", 0));
        compile("PoolExample", example, List.of("-Xlint:all", "-Werror"), classes, WorkerRegistry.class);
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        WorkerRegistry registry = WorkerRegistry.create();
        try (URLClassLoader loader = loaderOf(classes);
                WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                        .processController(new FakeProcessController())
                        .healthProbe((worker, timeout) -> completedFuture(HealthStatus.healthy()))
                        .build()) {
            Class<?> program = loader.loadClass("PoolExample");
            program.getMethod("run", WorkerRegistry.class, WorkerSupervisor.class, String.class)
                    .invoke(null, registry, supervisor, "a request");

            assertThat(program.getField("sent").get(null))
                    .isEqualTo("a request to " + registry.list().get(0).url());
            assertThat(registry.list("llama-70b")).hasSize(1);
        } finally {
            scheduler.shutdown();
        }
    }

    @Test
    void testOfAHiveInTheReadmePasses(@TempDir Path classes) throws Exception {
        compileAndRunTest(programUnder(README, "## Testing your hive", 0), classes);
    }

    @Test
    void testOfADispatcherInTheManualPasses(@TempDir Path classes) throws Exception {
        compileAndRunTest(programUnder(EXAMPLES, "## Dispatcher", 0), classes);
    }

    @Test
    void configurationTableListsEveryKnobOfTheLifecycleWithItsDefault() throws Exception {
        assertThat(defaultsInTableOf("LifecycleConfig"))
                .isEqualTo(defaultsOf(LifecycleConfig.Builder.class, LifecycleConfig.defaults()));
    }

    @Test
    void configurationTableListsEveryKnobOfRestartsWithItsDefault() throws Exception {
        assertThat(defaultsInTableOf("RestartPolicy"))
                .isEqualTo(defaultsOf(
                        RestartPolicy.Builder.class, RestartPolicy.builder().build()));
    }

    /** A registry does not expose its other settings. */
    @Test
    void configurationTableListsEveryKnobOfTheRegistryAndItsNodeName() throws Exception {
        Map<String, String> table = defaultsInTableOf("WorkerRegistry");

        assertThat(table.keySet()).isEqualTo(knobsOf(WorkerRegistry.Builder.class));
        assertThat(table).containsEntry("node", WorkerRegistry.create().node());
    }

    @Test
    void errorTableNamesEveryExceptionOfTheLibrary() throws Exception {
        assertThat(errorsInTable()).containsExactlyInAnyOrderElementsOf(publicExceptions());
    }

    /** Runs the body of a test, which may use a {@code spec}. */
    private static void compileAndRunTest(String body, Path classes) throws Exception {
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

    private static String quickStart() throws IOException {
        return Files.readString(QUICK_START);
    }

    private static String programUnder(Path document, String heading, int index) throws IOException {
        List<String> programs = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(section(document, heading))
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(programs)
                .as("Java programs under %s in %s", heading, document)
                .hasSizeGreaterThan(index);
        return programs.get(index);
    }

    private static String section(Path document, String heading) throws IOException {
        String text = Files.readString(document);
        int begin = text.indexOf("\n" + heading + "\n");
        assertThat(begin).as("%s in %s", heading, document).isNotNegative();
        int end = text.indexOf("\n## ", begin + 1);
        return text.substring(begin, end < 0 ? text.length() : end);
    }

    /** The cells of each row of the table with this text in the first cell of its head. */
    private static List<List<String>> table(String section, String head) {
        List<String> lines = section.lines().toList();
        List<List<String>> rows = new ArrayList<>();
        boolean inTable = false;
        for (String line : lines) {
            if (line.startsWith("| " + head + " |")) {
                inTable = true;
            } else if (!line.startsWith("|")) {
                inTable = false;
            } else if (inTable && !line.startsWith("|---")) {
                rows.add(Pattern.compile(" *\\| *")
                        .splitAsStream(line)
                        .filter(cell -> !cell.isEmpty())
                        .toList());
            }
        }
        assertThat(rows).as("rows of the table %s", head).isNotEmpty();
        return rows;
    }

    /** From knob to default, as text. A row may have several of each. */
    private static Map<String, String> defaultsInTableOf(String type) throws IOException {
        Map<String, String> defaults = new TreeMap<>();
        for (List<String> row : table(section(README, "## Configuration"), "`" + type + "`")) {
            List<String> knobs = codeIn(row.get(0));
            String[] values = row.get(1).split(", ", -1);
            assertThat(values).as("defaults of %s", knobs).hasSameSizeAs(knobs);
            for (int i = 0; i < values.length; i++) {
                String other = defaults.put(knobs.get(i), inWords(values[i]));
                assertThat(other).as("%s once only", knobs.get(i)).isNull();
            }
        }
        return defaults;
    }

    private static List<String> codeIn(String text) {
        return CODE.matcher(text).results().map(code -> code.group(1)).toList();
    }

    /** A default of the table in the form of {@link #inWords(Object)}. */
    private static String inWords(String written) {
        String value = written.replace("`", "");
        Matcher duration = DURATION.matcher(value);
        return duration.matches() ? durationOf(duration.toMatchResult()).toString() : value;
    }

    private static Duration durationOf(MatchResult written) {
        long amount = Long.parseLong(written.group(1));
        return switch (written.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "min" -> Duration.ofMinutes(amount);
            default -> Duration.ofHours(amount);
        };
    }

    private static String inWords(Object value) {
        return value instanceof Optional<?> optional
                ? optional.map(String::valueOf).orElse("off")
                : String.valueOf(value);
    }

    /** The setters of a builder: methods with a parameter. */
    private static Set<String> knobsOf(Class<?> builder) {
        Set<String> knobs = new TreeSet<>();
        for (Method method : builder.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && method.getParameterCount() > 0) {
                knobs.add(method.getName());
            }
        }
        return knobs;
    }

    /** From knob to the value of the accessor of the same name. */
    private static Map<String, String> defaultsOf(Class<?> builder, Object built) throws ReflectiveOperationException {
        Map<String, String> defaults = new TreeMap<>();
        for (String knob : knobsOf(builder)) {
            defaults.put(knob, inWords(built.getClass().getMethod(knob).invoke(built)));
        }
        return defaults;
    }

    private static List<String> errorsInTable() throws IOException {
        return table(section(README, "## Errors"), "exception").stream()
                .flatMap(row -> codeIn(row.get(0)).stream())
                .toList();
    }

    /** The unchecked exceptions that users of the library can name. */
    private static List<String> publicExceptions() throws Exception {
        Path place = Path.of(locationOf(WorkerRegistry.class));
        if (Files.isDirectory(place)) {
            return publicExceptions(place);
        }
        try (FileSystem jar = FileSystems.newFileSystem(place)) {
            return publicExceptions(jar.getPath("/"));
        }
    }

    private static List<String> publicExceptions(Path classes) throws Exception {
        List<String> found = new ArrayList<>();
        for (Exports exported : moduleIn(classes).exports()) {
            Path packageFolder = classes.resolve(exported.source().replace('.', '/'));
            try (DirectoryStream<Path> files = Files.newDirectoryStream(packageFolder, "*.class")) {
                for (Path file : files) {
                    Class<?> type = loaded(exported.source(), file.getFileName().toString());
                    if (RuntimeException.class.isAssignableFrom(type) && Modifier.isPublic(type.getModifiers())) {
                        found.add(type.getSimpleName());
                    }
                }
            }
        }
        assertThat(found).isNotEmpty();
        return found;
    }

    private static ModuleDescriptor moduleIn(Path classes) throws IOException {
        try (InputStream descriptor = Files.newInputStream(classes.resolve("module-info.class"))) {
            return ModuleDescriptor.read(descriptor);
        }
    }

    private static Class<?> loaded(String packageName, String file) throws ClassNotFoundException {
        String name = packageName + "." + file.substring(0, file.length() - ".class".length());
        return Class.forName(name, false, WorkerRegistry.class.getClassLoader());
    }

    private static Path classesIn(Path scratch) {
        return scratch.resolve("classes");
    }

    /** With its own ports: another test may use the default ones concurrently. */
    private static void compileQuickstart(String program, Path scratch) throws Exception {
        String builder = "WorkerSupervisor.builder(registry, scheduler)";
        String[] ports = FreePorts.range(10).split("-", -1);
        assertThat(program).contains(builder);
        String withPorts = program.replace(
                builder, builder + ".ports(%s.of(%s, %s))".formatted(PortPool.class.getName(), ports[0], ports[1]));
        Files.createDirectories(classesIn(scratch));
        compile("Quickstart", withPorts, List.of("-Xlint:all", "-Werror"), classesIn(scratch), WorkerRegistry.class);
    }

    /** Exit code and output of a run. */
    private record Ran(int exitCode, String output) {}

    /** Runs the program in its own JVM, with only the library, and checks that it leaves nothing behind. */
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
                                locationOf(WorkerRegistry.class),
                                locationOf(Logger.class)),
                        "Quickstart")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("README_RUN", mark);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it exits").isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        assertThat(temporary).as("the temporary directory after the exit").isEmptyDirectory();
        await().untilAsserted(
                        () -> assertThat(processesWith("README_RUN=" + mark)).isEmpty());
        return new Ran(process.exitValue(), Files.readString(output));
    }

    /** The processes whose environment contains this; none if there is no /proc. */
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
                } catch (IOException exited) {
                    // it has exited or may not be read
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
            places.append(locationOf(type)).append(File.pathSeparator);
        }
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of("-d", classes.toString(), "-cp", places.toString()));

        boolean compiled = compiler.getTask(complaints, null, null, arguments, null, List.of(source(name, program)))
                .call();

        assertThat(compiled).as("%s", complaints).isTrue();
    }

    private static String locationOf(Class<?> type) throws URISyntaxException {
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
