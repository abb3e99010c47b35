package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
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

/** The placeholders of one start and their values, for command, url, environment values and directory. */
final class Placeholders {

    /** The placeholders that need no parameter; {@code port} has a value only if it is used. */
    static final Set<String> BUILT_IN =
            Set.of("id", "generation", "port", "model_ref", "backend", "device", WorkerInfo.DEVICES, "slots");

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
        values.put(WorkerInfo.DEVICES, spec.labels().getOrDefault(WorkerInfo.DEVICES, Integer.toString(spec.device())));
        values.put("slots", Integer.toString(spec.slots()));
        port.ifPresent(number -> values.put("port", Integer.toString(number)));
        return new Placeholders(id, values);
    }

    /** Whether a port must be acquired for the worker. */
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

    String substitute(String text) {
        return new Template(text).substitute(values);
    }

    /**
     * The url of the worker.
     *
     * @throws IllegalArgumentException if it is not a name or not a url
     */
    String url(WorkerSpec spec) {
        String url = Checks.requireName(substitute(spec.url()), "url");
        return WorkerUrl.require(url, spec.url());
    }

    /**
     * The process to start.
     *
     * @throws IllegalArgumentException if a value is invalid in a command, environment or directory
     */
    ProcessSpec processSpec(WorkerSpec spec) {
        Map<String, String> environment = variables();
        spec.environment().forEach((name, value) -> environment.put(name, substitute(value)));
        List<String> command = spec.command().stream().map(this::substitute).toList();
        return new ProcessSpec(id, command, environment, spec.directory().map(this::substitute), inherited(spec));
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

    /** A hive that is itself a worker has a {@code WORKER_PORT}, which a worker without a port must not inherit. */
    private InheritedEnvironment inherited(WorkerSpec spec) {
        InheritedEnvironment inherited = spec.inheritedEnvironment();
        if (values.containsKey("port")) {
            return inherited;
        }
        Set<String> except = new HashSet<>(inherited.except());
        except.add(PORT_VARIABLE);
        return new InheritedEnvironment(inherited.only(), except);
    }

    private Path substitute(Path directory) {
        String text = directory.toString();
        String substituted = substitute(text);
        if (substituted.equals(text)) {
            return directory;
        }
        if (substituted.isBlank()) { // it would denote this JVM's own directory
            throw new IllegalArgumentException("directory " + text + " is blank after substitution");
        }
        try {
            Path path = Path.of(substituted);
            if (stepsUp(path) > stepsUp(directory)) {
                throw new IllegalArgumentException(
                        "a placeholder's value must not lead out of the directory by \"..\", in " + text);
            }
            return path;
        } catch (InvalidPathException e) { // its message has the value
            throw new IllegalArgumentException(
                    "directory " + text + " is not a path after substitution: " + e.getReason());
        }
    }

    private static long stepsUp(Path path) {
        return StreamSupport.stream(path.spliterator(), false)
                .filter(name -> name.toString().equals(".."))
                .count();
    }
}
