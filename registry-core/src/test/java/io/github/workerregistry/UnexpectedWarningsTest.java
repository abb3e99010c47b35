package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

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

    private static final Logger log = LoggerFactory.getLogger("io.github.workerregistry.lifecycle.ALoop");

    private final UnexpectedWarnings watch = new UnexpectedWarnings();

    @Test
    void aWarningThatNobodyExpectedFailsTheTest() {
        log.warn("worker {} was lost", "w", new IllegalStateException("its cause"));

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> watch.afterEach(null))
                .withMessageStartingWith(
                        "unexpected WARN of io.github.workerregistry.lifecycle.ALoop: worker w was lost")
                .withMessageContaining("its cause");
        assertThatCode(() -> watch.afterEach(null)).doesNotThrowAnyException();
    }

    @Test
    void anErrorBesideAnExpectedWarningFailsTheTest() {
        UnexpectedWarnings.expect("was lost");
        log.warn("worker {} was lost", "w");
        log.error("worse");

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> watch.afterEach(null))
                .withMessage("unexpected ERROR of io.github.workerregistry.lifecycle.ALoop: worse");
    }

    @Test
    void aWarningThatWasExpectedMayComeMoreThanOnce() {
        UnexpectedWarnings.expect("was lost");
        log.warn("worker {} was lost", "w");
        log.warn("worker {} was lost", "v");
    }

    @Test
    void aWarningThatWasExpectedAndDidNotComeFailsTheTest() {
        UnexpectedWarnings.expect("was lost");
        log.info("worker {} was lost", "w");

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> watch.afterEach(null))
                .withMessage("expected a warning that did not come: was lost");
    }

    @Test
    void foreignLoggersAndInformationAreNobodysBusiness() {
        LoggerFactory.getLogger("io.github.another").warn("not ours");
        log.info("worker {} became ready", "w");
    }

    /**
     * The hook on a class of properties did nothing: jqwik keeps it from the properties unless it says that it is for
     * them.
     */
    @Test
    void propertiesAreWatchedToo() {
        assertThat(watch.propagateTo()).isEqualTo(PropagationMode.ALL_DESCENDANTS);
    }

    /**
     * Service files cannot register the extension for all tests: a service must not live in a named module, and tests
     * are patched into ours.
     */
    @Test
    void everyTestClassIsWatched() throws Exception {
        List<Class<?>> watched = testClasses();

        assertThat(watched).contains(WorkerRegistryTest.class);
        assertThat(watched).filteredOn(type -> !isWatched(type)).isEmpty();
    }

    private static boolean isWatched(Class<?> type) {
        return Stream.of(type.getAnnotationsByType(ExtendWith.class))
                        .flatMap(annotation -> Arrays.stream(annotation.value()))
                        .anyMatch(UnexpectedWarnings.class::equals)
                || Stream.of(type.getAnnotationsByType(AddLifecycleHook.class))
                        .anyMatch(annotation -> annotation.value() == UnexpectedWarnings.class);
    }

    /** The classes that Surefire runs: by their names, nested ones left out. */
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
