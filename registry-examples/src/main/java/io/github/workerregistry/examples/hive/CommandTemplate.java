package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.demo.DemoWorker;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The command that starts a worker: arguments with placeholders, which the library fills in after splitting, each
 * within its argument. So a value of a request never becomes a second argument, and a template in which a shell would
 * run it is refused.
 *
 * @param arguments the program and its arguments
 */
record CommandTemplate(List<String> arguments) {

    /** Double braces are literal text. */
    private static final Pattern PLACEHOLDER = Pattern.compile("(?<!\\{)\\{([a-z][a-z0-9_]*)}");

    private static final Set<String> KNOWN = Set.of(
            "id",
            "port",
            "model_ref",
            "model_path",
            "backend",
            "device",
            "slots",
            "callback_url",
            "heartbeat_url",
            "heartbeat_ms",
            "generation");

    private static final Set<String> OF_REQUESTS = Set.of("model_ref", "model_path", "backend");
    private static final Pattern SHELL = Pattern.compile("(.*/)?(ba|da|z|k|a|fi)?sh");
    private static final Pattern SCRIPT = Pattern.compile("-[a-z]*c");

    /** Checks that a program is given and that every placeholder is known. */
    CommandTemplate {
        arguments = List.copyOf(arguments);
        if (arguments.isEmpty() || arguments.get(0).isBlank()) {
            throw new IllegalArgumentException("the command names no program");
        }
        placeholders(arguments)
                .filter(placeholder -> !KNOWN.contains(placeholder))
                .findFirst()
                .ifPresent(unknown -> {
                    throw new IllegalArgumentException("unknown placeholder {" + unknown + "}");
                });
        requireNoScript(arguments);
    }

    /** A value of a request in the script of {@code sh -c} would be run. */
    private static void requireNoScript(List<String> arguments) {
        for (int i = 1; i + 1 < arguments.size(); i++) {
            String script = arguments.get(i + 1);
            Optional<String> value =
                    placeholders(List.of(script)).filter(OF_REQUESTS::contains).findFirst();
            boolean shell = arguments.subList(0, i).stream()
                    .anyMatch(before -> SHELL.matcher(before).matches());
            if (shell && SCRIPT.matcher(arguments.get(i)).matches() && value.isPresent()) {
                String name = value.get();
                throw new IllegalArgumentException("a shell would run the value of {" + name + "}; use \"$WORKER_"
                        + name.toUpperCase(Locale.ROOT) + "\"");
            }
        }
    }

    private static Stream<String> placeholders(List<String> arguments) {
        return arguments.stream()
                .flatMap(argument -> PLACEHOLDER.matcher(argument).results())
                .map(found -> found.group(1));
    }

    /** Splits a line as a shell does, with {@link ArgumentSplitter}. */
    static CommandTemplate parse(String line) {
        return new CommandTemplate(ArgumentSplitter.split(line));
    }

    /** Starts the bundled demo worker. */
    static CommandTemplate demoWorker() {
        return new CommandTemplate(DemoWorker.command());
    }

    boolean uses(String placeholder) {
        return placeholders(arguments).anyMatch(placeholder::equals);
    }

    /** For picocli, whose message names the option. */
    static final class Converter implements ITypeConverter<CommandTemplate> {
        @Override
        public CommandTemplate convert(String line) {
            try {
                return parse(line);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
