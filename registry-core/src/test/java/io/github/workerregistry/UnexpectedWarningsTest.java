package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.lifecycle.PropagationMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

@ExtendWith(UnexpectedWarnings.class)
class UnexpectedWarningsTest {

    private static final Logger log = LoggerFactory.getLogger("io.github.workerregistry.lifecycle.SomeLoop");

    private final UnexpectedWarnings warnings = new UnexpectedWarnings();

    @Test
    void unexpectedWarningFailsTheTest() {
        log.warn("worker {} was lost", "w", new IllegalStateException("its cause"));

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> warnings.afterEach(null))
                .withMessageStartingWith(
                        "unexpected WARN of io.github.workerregistry.lifecycle.SomeLoop: worker w was lost")
                .withMessageContaining("its cause");
        assertThatCode(() -> warnings.afterEach(null)).doesNotThrowAnyException();
    }

    @Test
    void errorBesideAnExpectedWarningFailsTheTest() {
        UnexpectedWarnings.expect("was lost");
        log.warn("worker {} was lost", "w");
        log.error("worse");

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> warnings.afterEach(null))
                .withMessage("unexpected ERROR of io.github.workerregistry.lifecycle.SomeLoop: worse");
    }

    @Test
    void expectedWarningMayBeLoggedRepeatedly() {
        UnexpectedWarnings.expect("was lost");
        log.warn("worker {} was lost", "w");
        log.warn("worker {} was lost", "v");
        UnexpectedWarnings.expect(WorkerRegistry.class, Level.WARN, "worker u");
        LoggerFactory.getLogger(WorkerRegistry.class).warn("worker {} was lost", "u");
    }

    @Test
    void expectedWarningThatIsNotLoggedFailsTheTest() {
        UnexpectedWarnings.expect("was lost");

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> warnings.afterEach(null))
                .withMessage("expected warning was not logged: was lost");

        UnexpectedWarnings.expect(WorkerRegistry.class, Level.WARN, "worker w");
        LoggerFactory.getLogger(WorkerRegistry.class).info("worker {} was lost", "w");
        LoggerFactory.getLogger(WorkerRegistry.class).warn("worker {} was lost", "v");
        log.warn("worker {} was lost", "w");

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> warnings.afterEach(null))
                .withMessageContaining("unexpected WARN of " + WorkerRegistry.class.getName() + ": worker v was lost")
                .withMessageContaining("unexpected WARN of " + log.getName() + ": worker w was lost")
                .withMessageEndingWith(
                        "expected warning was not logged: WARN of " + WorkerRegistry.class.getName() + ": worker w");
    }

    @Test
    void foreignLoggersAndLowerLevelsAreIgnored() {
        LoggerFactory.getLogger("io.github.another").warn("not ours");
        log.info("worker {} became ready", "w");
    }

    /** Regression: jqwik did not apply the hook on a class to its properties, without the propagation mode. */
    @Test
    void propertiesAreChecked() {
        assertThat(warnings.propagateTo()).isEqualTo(PropagationMode.ALL_DESCENDANTS);
    }

    /**
     * Service files cannot register the extension for all tests: a named module ignores service files, and tests are
     * patched into the library's module.
     */
    @Test
    void everyTestClassIsChecked() throws Exception {
        List<Class<?>> checked = testClasses();

        assertThat(checked).contains(WorkerRegistryTest.class);
        assertThat(checked).filteredOn(type -> !isChecked(type)).isEmpty();
    }

    private static boolean isChecked(Class<?> type) {
        return Stream.of(type.getAnnotationsByType(ExtendWith.class))
                        .flatMap(annotation -> Arrays.stream(annotation.value()))
                        .anyMatch(UnexpectedWarnings.class::equals)
                || Stream.of(type.getAnnotationsByType(AddLifecycleHook.class))
                        .anyMatch(annotation -> annotation.value() == UnexpectedWarnings.class);
    }

    /** The classes that Surefire runs, by their names; without nested classes. */
    private static List<Class<?>> testClasses() throws URISyntaxException, IOException {
        Path root = Path.of(UnexpectedWarningsTest.class
                        .getResource("/logback-test.xml")
                        .toURI())
                .getParent();
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(file ->
                            root.relativize(file).toString().replace('/', '.').replace('\\', '.'))
                    .filter(name -> name.matches("[^$]+(Test|Properties|IT)\\.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .<Class<?>>map(UnexpectedWarningsTest::load)
                    .toList();
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, UnexpectedWarningsTest.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new UncheckedIOException(new IOException(name, e));
        }
    }
}
