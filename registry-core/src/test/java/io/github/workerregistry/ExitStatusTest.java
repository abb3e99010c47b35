package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class ExitStatusTest {

    @ParameterizedTest
    @CsvSource({"129, 1", "137, 9", "143, 15", "192, 64"})
    void codeAbove128IsItsSignal(int code, int signal) {
        assertThat(ExitStatus.unrequested(code).signal()).hasValue(signal);
        assertThat(ExitStatus.requested(code).signal()).hasValue(signal);
        assertThatThrownBy(() -> new ExitStatus(OptionalInt.of(code), OptionalInt.empty(), false))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 127, 128, 193, 255, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void otherCodesHaveNoSignal(int code) {
        assertThat(ExitStatus.unrequested(code).signal()).isEmpty();
        assertThat(ExitStatus.requested(code).signal()).isEmpty();
    }

    @Test
    void asRequestedMarksTheStatusAsRequested() {
        ExitStatus crash = ExitStatus.unrequested(143);

        assertThat(crash.requested()).isFalse();
        assertThat(crash.asRequested()).isEqualTo(new ExitStatus(OptionalInt.of(143), OptionalInt.of(15), true));
        assertThat(crash.asRequested().asRequested()).isEqualTo(ExitStatus.requested(143));
    }

    @Test
    void onlyCodeZeroIsSuccess() {
        assertThat(ExitStatus.unrequested(0).isSuccess()).isTrue();
        assertThat(ExitStatus.requested(0).isSuccess()).isTrue();
        assertThat(ExitStatus.unrequested(1).isSuccess()).isFalse();
        assertThat(ExitStatus.requested(137).isSuccess()).isFalse();
    }

    @Test
    void toStringNamesCodeOrSignal() {
        assertThat(ExitStatus.unrequested(3)).hasToString("exit code 3");
        assertThat(ExitStatus.requested(0)).hasToString("exit code 0 (requested)");
        assertThat(ExitStatus.unrequested(139)).hasToString("signal 11");
        assertThat(ExitStatus.requested(137)).hasToString("signal 9 (requested)");
    }

    @Test
    void withCauseChangesTheCauseOnly() {
        Exit crash = SomeWorkers.crash(SomeWorkers.loading("w"));

        Exit loop = crash.withCause(Exit.Cause.CRASH_LOOP);

        assertThat(loop.cause()).isEqualTo(Exit.Cause.CRASH_LOOP);
        assertThat(loop).usingRecursiveComparison().ignoringFields("cause").isEqualTo(crash);
    }
}
