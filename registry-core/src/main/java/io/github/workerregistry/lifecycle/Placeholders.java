package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.Checks;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.ProcessSpec;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The values of one spawn, and where they go: into arguments, url, environment values and directory. */
final class Placeholders {

    /** What every spec has a value for; {@code port} if it is used. */
    static final Set<String> BUILT_IN = Set.of("id", "generation", "port", "model_ref", "backend", "device", "slots");

    private static final String PORT_VARIABLE = variable("port");

    private final String id;
    private final Map<String, String> values;

    private Placeholders(String id, Map<String, String> values) {
        this.id = id;
        this.values = values;
    }

    static Placeholders of(WorkerSpec spec, String id, int generation, OptionalInt port) {
        Map<String, String> values = new HashMap<>(spec.parameters());
        values.put("id", id);
        values.put("generation", Integer.toString(generation));
        values.put("model_ref", spec.modelRef());
        values.put("backend", spec.backend());
        values.put("device", Integer.toString(spec.device()));
        values.put("slots", Integer.toString(spec.slots()));
        port.ifPresent(number -> values.put("port", Integer.toString(number)));
        return new Placeholders(id, values);
    }

    /** Whether the worker is to be given a port. */
    static boolean needPort(WorkerSpec spec) {
        return texts(spec).anyMatch(text -> new Template(text).names().contains("port"));
    }

    private static Stream<String> texts(WorkerSpec spec) {
        return Stream.of(
                        spec.command().stream(),
                        Stream.of(spec.url()),
                        spec.environment().values().stream(),
                        spec.directory().map(Path::toString).stream())
                .flatMap(texts -> texts);
    }

    String fill(String text) {
        return new Template(text).fill(values);
    }

    /**
     * Where the worker will be reached.
     *
     * @throws IllegalArgumentException if that is no name or no url
     */
    String url(WorkerSpec spec) {
        String url = Checks.requireName(fill(spec.url()), "url");
        return WorkerUrl.require(url, spec.url());
    }

    /**
     * What is to be started.
     *
     * @throws IllegalArgumentException if that is nothing that a process can be given
     */
    ProcessSpec processSpec(WorkerSpec spec) {
        Map<String, String> environment = variables();
        spec.environment().forEach((name, value) -> environment.put(name, fill(value)));
        List<String> command = spec.command().stream().map(this::fill).toList();
        return new ProcessSpec(id, command, environment, spec.directory().map(this::fill), inherited(spec));
    }

    /** The same values as environment variables: {@code WORKER_ID}, {@code WORKER_MODEL_REF}, …. */
    private Map<String, String> variables() {
        Map<String, String> variables = new HashMap<>();
        values.forEach((name, value) -> variables.put(variable(name), value));
        return variables;
    }

    private static String variable(String name) {
        return "WORKER_" + name.toUpperCase(Locale.ROOT);
    }

    /** A hive that is itself a worker has a port of its own, which a worker without one must not take for its own. */
    private InheritedEnvironment inherited(WorkerSpec spec) {
        InheritedEnvironment inherited = spec.inheritedEnvironment();
        if (values.containsKey("port")) {
            return inherited;
        }
        Set<String> except = new HashSet<>(inherited.except());
        except.add(PORT_VARIABLE);
        return new InheritedEnvironment(inherited.only(), except);
    }

    private Path fill(Path directory) {
        String text = directory.toString();
        String filled = fill(text);
        if (filled.equals(text)) {
            return directory;
        }
        if (filled.isBlank()) { // which would be this JVM's own directory
            throw new IllegalArgumentException("directory " + text + " is blank once it is filled");
        }
        try {
            Path path = Path.of(filled);
            if (stepsUp(path) > stepsUp(directory)) {
                throw new IllegalArgumentException(
                        "a placeholder's value must not lead out of the directory by \"..\", in " + text);
            }
            return path;
        } catch (InvalidPathException e) { // its message has the value
            throw new IllegalArgumentException("directory " + text + " is no path once it is filled: " + e.getReason());
        }
    }

    private static long stepsUp(Path path) {
        return StreamSupport.stream(path.spliterator(), false)
                .filter(name -> name.toString().equals(".."))
                .count();
    }
}
