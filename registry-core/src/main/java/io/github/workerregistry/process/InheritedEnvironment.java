package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import java.util.Optional;
import java.util.Set;

/**
 * Selects the variables of this JVM's environment that a worker process inherits. Names are compared exactly.
 *
 * @param only the names to inherit, if the JVM has them; empty means all
 * @param except names that are not inherited, even if {@code only} contains them; default none
 * @since 0.1
 */
public record InheritedEnvironment(Optional<Set<String>> only, Set<String> except) {

    private static final InheritedEnvironment ALL = new InheritedEnvironment(Optional.empty(), Set.of());

    /**
     * Copies the sets and checks the names.
     *
     * @throws NullPointerException if a component, or a name, is null; the message names the component
     * @throws IllegalArgumentException if a name is empty, or has {@code =} or NUL
     */
    public InheritedEnvironment {
        only = requireNonNull(only, "only").map(names -> Checks.copyOf(names, "only"));
        except = Checks.copyOf(except, "except");
        only.ifPresent(
                names -> names.forEach(name -> ProcessText.requireVariable(name, "name of an inherited variable")));
        except.forEach(name -> ProcessText.requireVariable(name, "name of a variable that is not inherited"));
    }

    /**
     * Inherits every variable of this JVM. The default.
     *
     * @return the shared instance
     */
    public static InheritedEnvironment all() {
        return ALL;
    }

    /**
     * Whether a variable of this JVM is inherited.
     *
     * @param name the variable
     * @return true if {@code only} is empty or contains it, and {@code except} does not
     */
    public boolean includes(String name) {
        requireNonNull(name, "name");
        return !except.contains(name) && only.map(names -> names.contains(name)).orElse(true);
    }
}
