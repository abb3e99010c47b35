package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.MAX_NAME_LENGTH;

import io.github.workerregistry.internal.LogText;
import java.nio.file.FileSystems;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Checks a {@link WorkerSpec} when it is built, for everything that would make each of its spawns fail. The last check
 * substitutes all placeholders as a spawn does, with an arbitrary port and, if the spec has no id, a generated one.
 */
final class SpecChecks {

    private static final int SOME_PORT = 65_535;

    /** Parameters are also passed as {@code WORKER_…} variables; these variables are the library's own. */
    private static final Set<String> RESERVED = Set.of("registry_mark");

    private SpecChecks() {}

    static void require(WorkerSpec spec) {
        spec.parameters().forEach(SpecChecks::requireParameter);
        for (int i = 0; i < spec.command().size(); i++) {
            requireKnown(spec.command().get(i), i == 0 ? "the command's program" : "argument " + i, spec);
        }
        requireKnown(spec.url(), "the url", spec);
        spec.environment().forEach((name, value) -> requireVariable(name, value, spec));
        spec.directory().ifPresent(directory -> {
            if (!directory.getFileSystem().equals(FileSystems.getDefault())) {
                throw new IllegalArgumentException(
                        "directory must be of the default file system, was " + directory.toUri());
            }
            requireKnown(directory.toString(), "the directory", spec);
        });
        Placeholders trial = Placeholders.of(
                spec,
                spec.id().orElseGet(() -> new WorkerIds().next(spec.modelRef())),
                Spawner.FIRST_GENERATION,
                Placeholders.needPort(spec) ? OptionalInt.of(SOME_PORT) : OptionalInt.empty());
        trial.url(spec);
        trial.processSpec(spec);
    }

    private static void requireParameter(String name, String value) {
        if (!Template.isName(name) || Placeholders.BUILT_IN.contains(name) || RESERVED.contains(name)) {
            throw new IllegalArgumentException("parameter name must be [a-z][a-z0-9_]* and not one of "
                    + new TreeSet<>(Placeholders.BUILT_IN) + " or " + new TreeSet<>(RESERVED) + ", was \""
                    + LogText.shortened(name, MAX_NAME_LENGTH) + "\"");
        }
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("parameter " + name + " must not contain NUL");
        }
    }

    private static void requireVariable(String name, String value, WorkerSpec spec) {
        String place = "environment variable " + LogText.shortened(name, MAX_NAME_LENGTH);
        if (!new Template(name).names().isEmpty()) {
            throw new IllegalArgumentException(
                    place + " must have no placeholder in its name: only values are substituted");
        }
        if (spec.inheritedEnvironment().except().contains(name)) {
            throw new IllegalArgumentException(place + " is both set and excluded from inheritance");
        }
        requireKnown(value, place, spec);
    }

    private static void requireKnown(String text, String place, WorkerSpec spec) {
        Set<String> known = new TreeSet<>(Placeholders.BUILT_IN);
        known.addAll(spec.parameters().keySet());
        Template template = new Template(text);
        for (String name : template.names()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException("no value for placeholder {" + name + "} in " + place
                        + "; there are " + known + ", and {{" + name + "}} is the text {" + name + "}");
            }
        }
        for (String name : template.nearMisses()) {
            for (String meant : known) {
                if (plain(name).equals(plain(meant))) {
                    throw new IllegalArgumentException(
                            "no placeholder {" + name + "} in " + place + "; write {" + meant + "}");
                }
            }
        }
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[_-]", "");
    }
}
