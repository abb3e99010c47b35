package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.Set;

/**
 * Which variables of this JVM's own environment a worker's process is given. Names are compared exactly.
 *
 * @param only the names that are inherited, if the JVM has them; empty: all
 * @param except names that are not inherited, whatever {@code only} says; default none
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
        only = requireNonNull(only, "only").map(Set::copyOf);
        except = Set.copyOf(requireNonNull(except, "except"));
        only.ifPresent(
                names -> names.forEach(name -> ProcessText.requireVariable(name, "name of an inherited variable")));
        except.forEach(name -> ProcessText.requireVariable(name, "name of a variable that is not inherited"));
    }

    /**
     * The default: every variable of this JVM.
     *
     * @return the one value for that
     */
    public static InheritedEnvironment all() {
        return ALL;
    }

    /**
     * Whether a variable of this JVM is passed on.
     *
     * @param name the variable
     * @return true if it is one of {@code only}, or all are, and it is not excepted
     */
    public boolean includes(String name) {
        requireNonNull(name, "name");
        return !except.contains(name) && only.map(names -> names.contains(name)).orElse(true);
    }
}
