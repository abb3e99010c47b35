package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class ProcessSpecTest {

    private static final String SECRET = "sk-1234";

    @Test
    void everyVariableIsInheritedByDefault() {
        assertThat(spec(List.of("serve"), Map.of()).inherited()).isEqualTo(InheritedEnvironment.all());
        assertThat(InheritedEnvironment.all().includes("ANY")).isTrue();
    }

    @Test
    void onlyListedVariablesAreInheritedAndExcludedOnesNever() {
        InheritedEnvironment inherited = new InheritedEnvironment(Optional.of(Set.of("A", "B")), Set.of("B", "C"));

        assertThat(inherited.includes("A")).isTrue();
        assertThat(inherited.includes("a")).isFalse();
        assertThat(inherited.includes("B")).isFalse();
        assertThat(inherited.includes("C")).isFalse();
        assertThat(inherited.includes("D")).isFalse();
    }

    /** The JDK rejects it only at the start of the process, without the position of the argument. */
    @Test
    void textThatCannotBePassedIsRejectedByPositionWithoutItsValue() {
        refused(() -> spec(List.of("serve\0"), Map.of()), "program", "NUL");
        refused(() -> spec(List.of("serve", "a", SECRET + "\0"), Map.of()), "argument 2", "NUL", "index 7");
        refused(() -> spec(List.of("serve", SECRET + "\ud83d"), Map.of()), "argument 1", "U+D83D at index 7");
        refused(() -> spec(List.of("serve"), Map.of("", "a")), "name of an environment variable", "empty");
        refused(() -> spec(List.of("serve"), Map.of("NOT=A\nNAME", "a")), "NOT=A\\u000aNAME");
        refused(() -> spec(List.of("serve"), Map.of("A\0", "a")), "name of an environment variable", "NUL");
        refused(() -> spec(List.of("serve"), Map.of("A", SECRET + "\0")), "environment variable A", "NUL");
        refused(() -> spec(List.of("serve"), Map.of("A", "\udc00")), "environment variable A", "U+DC00 at index 0");
        refused(() -> new InheritedEnvironment(Optional.of(Set.of("A=B")), Set.of()), "inherited", "A=B");
        refused(() -> new InheritedEnvironment(Optional.empty(), Set.of("")), "not inherited", "empty");
    }

    private static ProcessSpec spec(List<String> command, Map<String, String> environment) {
        return new ProcessSpec("w", command, environment, Optional.empty());
    }

    private static void refused(ThrowingCallable call, String... named) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(named)
                .hasMessageNotContaining(SECRET);
    }
}
