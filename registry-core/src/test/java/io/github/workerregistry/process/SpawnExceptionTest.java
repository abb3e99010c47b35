package io.github.workerregistry.process;

import static io.github.workerregistry.LoggedLines.EVIL;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.internal.LogText;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SpawnExceptionTest {

    private static final String SECRET = "TOPSECRET";

    @Test
    void messageHasProgramAndReasonButNoArguments() {
        List<String> command = List.of("/opt/llama server", "--api-key", SECRET);

        SpawnException failure = new SpawnException(command, "no memory", null);

        assertThat(failure).hasMessage("cannot start /opt/llama server: no memory");
        assertThat(failure.command()).isEqualTo(command);
    }

    @Test
    void commandInOneStringIsShownUpToItsFirstOption() {
        assertThat(new SpawnException(List.of("llama-server --api-key " + SECRET), "no such file", null))
                .hasMessage("cannot start llama-server\u2026: no such file");
        assertThat(new SpawnException(List.of("x".repeat(1_000)), "no such file", null))
                .hasMessage("cannot start " + "x".repeat(200) + "\u2026: no such file");
        assertThat(new SpawnException(List.of(), "no program", null)).hasMessage("cannot start nothing: no program");
    }

    @Test
    void programAndReasonAreSanitised() {
        assertThat(new SpawnException(List.of(EVIL), EVIL, null))
                .hasMessage("cannot start " + LogText.of(EVIL) + ": " + LogText.of(EVIL));
    }

    /** The message of the JDK's exception contains the program, which may be the whole command. */
    @Test
    void messagesOfTheCausesDoNotContainTheCommand() {
        for (List<String> command : List.of(
                List.of("/no/such/program", "--api-key", SECRET), List.of("/no/such/program --api-key " + SECRET))) {
            try {
                Process unexpected = new ProcessBuilder(command).start();
                throw new AssertionError("started " + unexpected);
            } catch (IOException e) {
                SpawnException failure = new SpawnException(command, SpawnException.reason(e), e);

                assertThat(failure)
                        .hasMessageContaining("No such file or directory")
                        .hasCauseInstanceOf(IOException.class);
                assertThat(allMessagesOf(failure)).doesNotContain(SECRET);
            }
        }
    }

    @Test
    void causeOfAnotherTypeIsUnchanged() {
        IOException cause = new IOException("Cannot run program \"x\"");
        RuntimeException other = new IllegalStateException("Cannot run program", cause);

        assertThat(new SpawnException(List.of("x"), "no", cause)).hasCause(cause);
        assertThat(new SpawnException(List.of("x"), "no", other)).hasCause(other);
        assertThat(SpawnException.reason(other)).isEqualTo("Cannot run program");
        assertThat(SpawnException.reason(new IllegalStateException())).isEqualTo("java.lang.IllegalStateException");
    }

    @Test
    void toStringOfASpecHasNoArgumentsAndNoValues() {
        ProcessSpec spec = new ProcessSpec(
                "w", List.of("serve", "--api-key=" + SECRET), Map.of("API_KEY", SECRET, "A", SECRET), Optional.empty());

        assertThat(spec).hasToString("ProcessSpec[workerId=w, program=serve, arguments=1, variables=[A, API_KEY]]");
    }

    private static String allMessagesOf(Throwable failure) {
        StringWriter said = new StringWriter();
        failure.printStackTrace(new PrintWriter(said));
        return said.toString();
    }
}
