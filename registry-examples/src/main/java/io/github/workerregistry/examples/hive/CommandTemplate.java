package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.demo.DemoWorker;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The command that starts a worker: arguments with placeholders, which the library fills in afterwards, each inside its
 * one argument. So no value of a request can become a second argument, and none ever meets a shell.
 *
 * @param arguments the program and its arguments
 */
record CommandTemplate(List<String> arguments) {

    /** A second pair of braces makes text of a placeholder. */
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

    /** Checks that there is a program, and that every placeholder is one that is filled in. */
    CommandTemplate {
        arguments = List.copyOf(arguments);
        if (arguments.isEmpty() || arguments.get(0).isBlank()) {
            throw new IllegalArgumentException("the command names no program");
        }
        placeholders(arguments)
                .filter(placeholder -> !KNOWN.contains(placeholder))
                .findFirst()
                .ifPresent(unknown -> {
                    throw new IllegalArgumentException("there is no placeholder {" + unknown + "}");
                });
    }

    private static Stream<String> placeholders(List<String> arguments) {
        return arguments.stream()
                .flatMap(argument -> PLACEHOLDER.matcher(argument).results())
                .map(found -> found.group(1));
    }

    /** Splits a line as a shell would, by {@link ArgumentSplitter}. */
    static CommandTemplate parse(String line) {
        return new CommandTemplate(ArgumentSplitter.split(line));
    }

    /** Starts the demo worker that comes with this program. */
    static CommandTemplate demoWorker() {
        return new CommandTemplate(DemoWorker.command());
    }

    boolean uses(String placeholder) {
        return placeholders(arguments).anyMatch(placeholder::equals);
    }

    /** For picocli, which says which option is wrong. */
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
