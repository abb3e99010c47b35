package io.github.workerregistry;

import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleDescriptor.Requires.Modifier;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.Logger;

/** Checks with {@code jdeps} that dependencies between packages point one way only. */
@ExtendWith(UnexpectedWarnings.class)
class PackagesTest {

    private static final String ROOT = "io.github.workerregistry";

    /** Not exported. */
    private static final String INTERNAL = ROOT + ".internal";

    /** The packages of the library that each package may use. */
    private static final Map<String, Set<String>> MAY_USE = Map.of(
            INTERNAL,
            Set.of(),
            ROOT,
            Set.of(INTERNAL),
            ROOT + ".health",
            Set.of(ROOT, INTERNAL),
            ROOT + ".process",
            Set.of(ROOT, INTERNAL),
            ROOT + ".lifecycle",
            Set.of(ROOT, INTERNAL, ROOT + ".health", ROOT + ".process"),
            ROOT + ".pool",
            Set.of(ROOT, INTERNAL, ROOT + ".health", ROOT + ".process", ROOT + ".lifecycle"),
            ROOT + ".testing",
            Set.of(ROOT, INTERNAL, ROOT + ".health", ROOT + ".process", ROOT + ".lifecycle"),
            ROOT + ".testing.contract",
            Set.of(ROOT, INTERNAL, ROOT + ".health", ROOT + ".process", ROOT + ".testing"));

    /** Packages outside of the library that every package may use. */
    private static final Pattern FOREIGN = Pattern.compile("java\\..+|org\\.slf4j|org\\.jspecify\\.annotations");

    private record Arrow(String from, String to) {}

    @Test
    void packagesUseAllowedPackagesOnly() throws Exception {
        assertThat(arrows())
                .isNotEmpty()
                .allSatisfy(arrow -> assertThat(MAY_USE)
                        .extractingByKey(arrow.from())
                        .satisfies(mayUse -> assertThat(mayUse.contains(arrow.to())
                                        || FOREIGN.matcher(arrow.to()).matches())
                                .as("%s uses %s", arrow.from(), arrow.to())
                                .isTrue()));
    }

    @Test
    void everyPackageIsChecked() throws Exception {
        assertThat(arrows().stream().map(Arrow::from).collect(toSet())).isEqualTo(MAY_USE.keySet());
        assertThat(module().packages()).isEqualTo(MAY_USE.keySet());
    }

    @Test
    void registryUsesNoInputOutputAndNoReflection() throws Exception {
        assertThat(arrows())
                .filteredOn(arrow -> arrow.from().equals(ROOT))
                .extracting(Arrow::to)
                .contains("java.util.concurrent.locks")
                .noneMatch(to -> to.startsWith("java.io") || to.startsWith("java.nio") || to.startsWith("java.net"))
                .doesNotContain("java.lang.reflect");
    }

    @Test
    void moduleRequiresOnlyHttpClientAndSlf4j() throws Exception {
        Map<String, Boolean> staticByName = module().requires().stream()
                .collect(toMap(Requires::name, requires -> requires.modifiers().contains(Modifier.STATIC)));

        assertThat(staticByName)
                .isEqualTo(
                        Map.of("java.base", false, "java.net.http", false, "org.slf4j", false, "org.jspecify", true));
    }

    @Test
    void moduleExportsAllPackagesButInternal() throws Exception {
        assertThat(module().exports()).allMatch(exports -> !exports.isQualified());
        assertThat(module().exports().stream()
                        .map(ModuleDescriptor.Exports::source)
                        .collect(toSet()))
                .isEqualTo(MAY_USE.keySet().stream()
                        .filter(name -> !name.equals(INTERNAL))
                        .collect(toSet()));
        assertThat(module().opens()).isEmpty();
        assertThat(module().provides()).isEmpty();
        assertThat(module().uses()).isEmpty();
    }

    /** The packages that each package uses, except itself. */
    private static List<Arrow> arrows() throws Exception {
        Pattern line = Pattern.compile(" +(" + Pattern.quote(ROOT) + "[.\\w]*) +-> (\\S+) .*");
        return jdeps("-verbose:package")
                .lines()
                .map(line::matcher)
                .filter(Matcher::matches)
                .map(match -> new Arrow(match.group(1), match.group(2)))
                .filter(arrow -> !arrow.from().equals(arrow.to()))
                .toList();
    }

    private static String jdeps(String option) throws Exception {
        StringWriter out = new StringWriter();
        int code = ToolProvider.findFirst("jdeps")
                .orElseThrow()
                .run(
                        new PrintWriter(out),
                        new PrintWriter(out),
                        "--multi-release",
                        "base",
                        "--module-path",
                        home(Logger.class).toString(),
                        option,
                        home(WorkerRegistry.class).toString());
        assertThat(code).as("%s", out).isZero();
        return out.toString();
    }

    private static ModuleDescriptor module() throws Exception {
        return ModuleFinder.of(home(WorkerRegistry.class))
                .find(ROOT)
                .orElseThrow()
                .descriptor();
    }

    /** The directory or jar of a class. */
    private static Path home(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }
}
