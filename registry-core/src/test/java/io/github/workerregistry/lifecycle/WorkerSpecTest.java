package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.process.InheritedEnvironment;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be spawned is refused when the spec is built, and the message names it without its value. */
@ExtendWith(UnexpectedWarnings.class)
class WorkerSpecTest {

    private static final String SECRET = "sk-1234";

    /** Where placeholders are filled, and what a message calls it. */
    record Place(String name, BiFunction<WorkerSpec.Builder, String, WorkerSpec.Builder> put) {
        WorkerSpec.Builder with(String text) {
            return put.apply(spec(), text);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Place> everyPlace() {
        return Stream.of(
                new Place("the command's program", (spec, text) -> spec.command("run-" + text, "x")),
                new Place("argument 2", (spec, text) -> spec.command("serve", "x", text)),
                new Place("the url", (spec, text) -> spec.url("http://h/?" + text)),
                new Place("environment variable A", (spec, text) -> spec.environment("A", text)),
                new Place("the directory", (spec, text) -> spec.directory(Path.of("models", text))));
    }

    @ParameterizedTest
    @MethodSource("everyPlace")
    void unknownPlaceholderIsRefused(Place place) {
        refused(place.with("{unknown}")::build, "{unknown}", place.name, "model_ref", "{{unknown}}");
        refused(place.with("{port}{{port}}{unknown}")::build, "{unknown}", place.name);
        assertThatThrownBy(place.with("{unknown}-" + SECRET)::build).hasMessageNotContaining(SECRET);
    }

    @ParameterizedTest
    @MethodSource("everyPlace")
    void misspelledPlaceholderIsRefused(Place place) {
        for (String misspelled : Set.of("{modelRef}", "{MODEL_REF}", "{model-ref}", "{ModelRef}")) {
            refused(place.with(misspelled)::build, misspelled, place.name, "{model_ref}");
        }
        refused(place.with("{Weights}").parameter("weights", "x")::build, "{Weights}", place.name, "{weights}");
    }

    @ParameterizedTest
    @MethodSource("everyPlace")
    void portIsNeededIfAnyPlaceNamesIt(Place place) {
        assertThat(Placeholders.needPort(place.with("{port}").build())).isTrue();
        assertThat(Placeholders.needPort(place.with("{id}").build())).isFalse();
        assertThat(Placeholders.needPort(
                        place.with("x").parameter("p", "{port}").build()))
                .isFalse();
    }

    @Test
    void escapedPortIsNotNeeded() {
        assertThat(Placeholders.needPort(spec().command("serve", "{{port}}")
                        .environment("A", "{{port}")
                        .build()))
                .isFalse();
    }

    @Test
    void bracesThatAreNoPlaceholderAreKept() {
        for (String text :
                Set.of("{\"a\": {\"b\": 1}}", "{{ messages }}", "{}", "${HOME}", "a{2,3}", "{A}", "{", "}}")) {
            assertThat(spec().command("serve", text)
                            .environment("A", text)
                            .build()
                            .command())
                    .containsExactly("serve", text);
        }
    }

    // --- urls

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1:{port}",
                "http://127.0.0.1:{port}/{model_ref}/{id}?d={device}#x",
                "HTTP://LOCALHOST:80",
                "https://user:password@models.example.org",
                "http://[::1]:{port}/",
                "http://[fe80::1%25eth0]:{port}",
                "grpc://10.0.0.7:1",
                "http://h:"
            })
    void urlWithSchemeAndHostIsAccepted(String url) {
        assertThat(spec().url(url).build().url()).isEqualTo(url);
    }

    @ParameterizedTest
    @CsvSource({
        "localhost:8100,has no host",
        "127.0.0.1:{port},scheme",
        "//localhost:{port},has no scheme",
        "localhost,has no scheme",
        "http:///v1,has no host",
        "http://:8100,host",
        "file:///tmp/socket,has no host",
        "unix:/tmp/socket,has no host",
        "mailto:a@b,has no host",
        "http://my_host:{port},letters",
        "http://h\u00f6st:{port},letters",
        "http://a b:{port},Illegal character",
        "http://[::1:{port},bracket",
        "http://h:0,1 to 65535",
        "http://h:65536,1 to 65535",
        "http://h:{port}{port},host",
        "http://h:-1,host",
        "http://h/{{port}},Illegal character"
    })
    void urlWithoutSchemeOrHostIsRefused(String url, String reason) {
        refused(spec().url(url)::build, "url", "http://host:port", url, reason);
    }

    /** Values are known when the spec is built. Regression: the worker was unreachable. */
    @Test
    void urlThatIsInvalidOnceFilledIsRefusedWithoutTheValue() {
        refused(spec().url("http://{host}").parameter("host", "a b")::build, "http://{host}", "Illegal character");
        refused(spec().url("{base}/v1").parameter("base", SECRET)::build, "{base}/v1", "scheme");
        refused(spec().modelRef("a b").url("http://h/{model_ref}")::build, "{model_ref}", "Illegal character");
        refused(spec().id("a b").url("http://h/{id}")::build, "{id}", "Illegal character");
        refused(spec().url("http://h/{a}").parameter("a", "x".repeat(257))::build, "url", "266");
        assertThatThrownBy(spec().url("http://{a}{a}").parameter("a", "^" + SECRET)::build)
                .hasMessageNotContaining(SECRET);
    }

    // --- environment

    @Test
    void everyVariableOfTheHiveIsInheritedByDefault() {
        assertThat(spec().build().inheritedEnvironment()).isEqualTo(InheritedEnvironment.all());
        assertThat(spec().inheritEnvironment("A", "B")
                        .withoutEnvironment("C")
                        .inheritEnvironment("A", "D")
                        .withoutEnvironment("B")
                        .build()
                        .inheritedEnvironment())
                .isEqualTo(new InheritedEnvironment(Optional.of(Set.of("A", "B", "D")), Set.of("B", "C")));
        assertThat(spec().inheritEnvironment().build().inheritedEnvironment().only())
                .hasValue(Set.of());
    }

    @Test
    void malformedVariableIsRefusedByName() {
        refused(spec().environment("", "x")::build, "name of an environment variable", "empty");
        refused(spec().environment("A=B", "x")::build, "name of an environment variable", "A=B");
        refused(spec().environment("=A", "x")::build, "name of an environment variable", "=A");
        refused(spec().environment("A\0", "x")::build, "name of an environment variable", "NUL");
        refused(spec().environment("A", SECRET + "\0")::build, "environment variable A", "NUL", "7");
        refused(spec().environment("{id}_A", "x")::build, "environment variable {id}_A", "name");
        refused(spec().inheritEnvironment("A", "")::build, "inherited", "empty");
        refused(spec().inheritEnvironment("A=B")::build, "inherited", "A=B");
        refused(spec().withoutEnvironment("A\0")::build, "not inherited", "NUL");
        assertThatThrownBy(spec().environment("A", SECRET + "\0")::build).hasMessageNotContaining(SECRET);
    }

    @Test
    void variableThatIsBothSetAndExcludedIsRefusedInAnyOrder() {
        refused(spec().environment("A", "x").withoutEnvironment("A")::build, "environment variable A");
        refused(spec().withoutEnvironment("A").environment("A", "x")::build, "environment variable A");
    }

    @Test
    void parameterThatWouldReplaceAVariableOfTheLibraryIsRefused() {
        for (String name : Set.of("id", "port", "generation", "registry_mark")) {
            refused(spec().parameter(name, "x")::build, "parameter name", name);
        }
    }

    // --- arguments and directory

    @Test
    void invalidArgumentIsRefusedByItsPosition() {
        refused(spec().command("serve\0")::build, "program", "NUL");
        refused(spec().command("serve", "a", SECRET + "\0")::build, "argument 2", "NUL", "7");
        refused(spec().command("serve", "\ud800")::build, "argument 1", "U+D800");
        refused(spec().command("{a}").parameter("a", " ")::build, "command", "program");
        assertThatThrownBy(spec().command(" ", SECRET)::build).hasMessageNotContaining(SECRET);
    }

    @Test
    void directoryOfAnotherFileSystemIsRefused(@TempDir Path scratch) throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(scratch.resolve("a.zip"), Map.of("create", "true"))) {
            refused(spec().directory(zip.getPath("/models"))::build, "directory", "default file system");
        }
    }

    @Test
    void valueThatLeadsOutOfTheDirectoryIsRefused() {
        for (String value : Set.of("..", "../etc", "a/../..", "/../etc")) {
            refused(
                    spec().directory(Path.of("/models/{a}")).parameter("a", value)::build,
                    "directory",
                    "/models/{a}",
                    "..");
        }
        refused(spec().directory(Path.of("{a}")).parameter("a", "")::build, "directory", "{a}", "blank");
        WorkerSpec own =
                spec().directory(Path.of("../{a}")).parameter("a", "org/..tiny").build();
        assertThat(own.directory()).hasValue(Path.of("../{a}"));
    }

    // --- own rules

    @Test
    void rulesAreTheSupervisorsUnlessSet() {
        WorkerSpec plain = spec().build();

        assertThat(plain.healthProbe()).isEmpty();
        assertThat(plain.lifecycle()).isEmpty();
        assertThat(plain.restartPolicy()).isEmpty();
        assertThat(plain.stopRequest()).isEmpty();
    }

    @Test
    void ownRulesAreKeptByToBuilderAndCompared() {
        HealthProbe probe = (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy());
        StopRequest stop = worker -> CompletableFuture.completedFuture(true);
        LifecycleConfig lifecycle = LifecycleConfig.builder().noIdleTimeout().build();
        WorkerSpec own = spec().healthProbe(probe)
                .lifecycle(lifecycle)
                .restartPolicy(RestartPolicy.never())
                .stopRequest(stop)
                .build();

        WorkerSpec copy = own.toBuilder().build();

        assertThat(copy).isEqualTo(own).hasSameHashCodeAs(own).isNotEqualTo(spec().build());
        assertThat(copy.healthProbe()).containsSame(probe);
        assertThat(copy.lifecycle()).contains(lifecycle);
        assertThat(copy.restartPolicy()).contains(RestartPolicy.never());
        assertThat(copy.stopRequest()).containsSame(stop);
        assertThat(own.toString())
                .contains("LifecycleConfig[", "RestartPolicy[", "own health probe", "own stop request");
        assertThat(spec().build().toString()).doesNotContain("LifecycleConfig", "own");
    }

    private static WorkerSpec.Builder spec() {
        return WorkerSpec.builder().modelRef("m").command("serve").url("http://fake");
    }

    private static void refused(ThrowingCallable call, String... named) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll(named);
    }

    @Test
    void copyOfABuilderIsIndependent() {
        WorkerSpec.Builder builder =
                WorkerSpec.builder().modelRef("m").command("serve", "{port}").label("tier", "fast");
        WorkerSpec.Builder copy = builder.copy();
        builder.label("tier", "slow").slots(3);

        assertThat(copy.build().labels()).containsEntry("tier", "fast");
        assertThat(copy.build().slots()).isOne();
    }

    @Test
    void builderTellsWhatIsAssigned() {
        WorkerSpec.Builder builder = WorkerSpec.builder();
        assertThat(builder.assigned()).isEmpty();
        builder.id("w").modelRef("m").backend("cpu").device(0);
        assertThat(builder.assigned()).containsExactlyInAnyOrder("id", "modelRef", "backend", "device");
        assertThat(builder.copy().assigned()).hasSize(4);
    }

    @Test
    void placeholderDevicesIsTheLabelOrElseTheDevice() {
        VirtualHive hive = new VirtualHive();
        WorkerSpec.Builder spec = WorkerSpec.builder()
                .modelRef("m")
                .command("serve", "{devices}")
                .url("http://fake")
                .device(2);
        String one = hive.supervisor.spawn(spec.build()).id();
        String several = hive.supervisor
                .spawn(spec.label(io.github.workerregistry.WorkerInfo.DEVICES, "2,3")
                        .build())
                .id();

        assertThat(hive.processes.specOf(one).command()).containsExactly("serve", "2");
        assertThat(hive.processes.specOf(several).command()).containsExactly("serve", "2,3");
    }
}
