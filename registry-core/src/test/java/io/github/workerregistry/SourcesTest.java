package io.github.workerregistry;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The comments of the library's sources: versions of public types, and the maps of packages. */
@ExtendWith(UnexpectedWarnings.class)
class SourcesTest {

    private static final Path SOURCES = Path.of("src/main/java");

    @Test
    void everyPublicTypeNamesTheVersionThatAddedIt() throws Exception {
        List<String> without = new ArrayList<>();
        int found = 0;
        for (Class<?> type : PublicTypes.all()) {
            Path source = sourceOf(type);
            if (Files.exists(source)) { // without Maven, the tests are in the same directory
                found++;
                if (!javadocOf(type, Files.readString(source)).contains("@since")) {
                    without.add(type.getName());
                }
            }
        }

        assertThat(without).isEmpty();
        assertThat(found).isGreaterThan(80);
    }

    private static Path sourceOf(Class<?> type) {
        Class<?> outermost = type;
        while (outermost.getEnclosingClass() != null) {
            outermost = outermost.getEnclosingClass();
        }
        return SOURCES.resolve(outermost.getName().replace('.', '/') + ".java");
    }

    private static String javadocOf(Class<?> type, String source) {
        Matcher declaration = Pattern.compile(
                        "^ *(?:[a-z-]+ )*(?:class|interface|record|enum) " + type.getSimpleName() + "\\b",
                        Pattern.MULTILINE)
                .matcher(source);
        assertThat(declaration.find()).as("declaration of %s", type).isTrue();
        String before = source.substring(0, declaration.start());
        String comment = before.substring(before.lastIndexOf("/**"));
        assertThat(comment.substring(comment.indexOf("*/")))
                .as("comment of %s", type)
                .doesNotContain("{", ";");
        return comment;
    }

    static List<Path> packages() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.endsWith("package-info.java"))
                    .map(Path::getParent)
                    .sorted()
                    .toList();
        }
    }

    /** As code, or as a link to a class of the package. */
    @ParameterizedTest
    @MethodSource("packages")
    void documentationOfAPackageNamesItsClassesAndNoOthers(Path directory) throws IOException {
        String name =
                SOURCES.relativize(directory).toString().replace('\\', '/').replace('/', '.');
        Set<String> named = Pattern.compile("\\{@(?:code |link " + Pattern.quote(name) + "\\.)([A-Z]\\w*)[^}]*}")
                .matcher(Files.readString(directory.resolve("package-info.java")))
                .results()
                .map(match -> match.group(1))
                .collect(toCollection(TreeSet::new));

        assertThat(named).isEqualTo(classesIn(directory));
    }

    private static Set<String> classesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".java") && !file.equals("package-info.java"))
                    .map(file -> file.substring(0, file.length() - ".java".length()))
                    .collect(toCollection(TreeSet::new));
        }
    }
}
