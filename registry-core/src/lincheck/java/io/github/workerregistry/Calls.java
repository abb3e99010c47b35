package io.github.workerregistry;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.Validate;

/** Calls of the operations of one test, for scenarios that are not random. */
public final class Calls {

    private final Class<?> test;

    public Calls(Class<?> test) {
        this.test = test;
    }

    /** A call of the operation of that name. */
    public Actor of(String name, Object... arguments) {
        Method operation = Arrays.stream(test.getMethods())
                .filter(method -> method.getName().equals(name))
                .findAny()
                .orElseThrow();
        return new Actor(operation, List.of(arguments));
    }

    /** Calls of two threads in parallel. */
    public ExecutionScenario sideBySide(List<Actor> first, List<Actor> second) {
        return sideBySide(List.of(), first, second);
    }

    /** Calls before, then calls of two threads in parallel, then the validation of the test, if it has one. */
    public ExecutionScenario sideBySide(List<Actor> before, List<Actor> first, List<Actor> second) {
        Actor validation = Arrays.stream(test.getMethods())
                .filter(method -> method.isAnnotationPresent(Validate.class))
                .map(method -> new Actor(method, List.of()))
                .findAny()
                .orElse(null);
        return new ExecutionScenario(before, List.of(first, second), List.of(), validation);
    }
}
