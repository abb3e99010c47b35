package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class ProcessIdentityTest {

    private final ProcessIdentity self = ProcessIdentity.of(ProcessHandle.current());

    @Test
    void thisJvmIsAlive() {
        assertThat(self.pid()).isEqualTo(ProcessHandle.current().pid());
        assertThat(self.startTime()).isPositive();
        assertThat(self.isAlive()).isTrue();
    }

    @Test
    void pidAndHandleGiveTheSameIdentity() {
        assertThat(ProcessIdentity.ofPid(self.pid())).hasValue(self);
    }

    @Test
    void anotherStartTimeIsAnotherProcess() {
        assertThat(new ProcessIdentity(self.pid(), self.startTime() + 1, self.bootId()).isAlive())
                .isFalse();
    }

    @Test
    void unknownStartTimeIsNotAlive() {
        assertThat(new ProcessIdentity(self.pid(), 0, self.bootId()).isAlive()).isFalse();
    }

    @Test
    void anotherBootIsAnotherProcess() {
        assertThat(new ProcessIdentity(self.pid(), self.startTime(), "an earlier boot").isAlive())
                .isFalse();
    }

    @Test
    void impossiblePidHasNoProcess() {
        assertThat(ProcessIdentity.ofPid(0)).isEmpty();
        assertThat(ProcessIdentity.ofPid(-1)).isEmpty();
        assertThat(ProcessIdentity.ofPid(Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void invalidValuesAreRejectedWithTheValue() {
        assertThatThrownBy(() -> new ProcessIdentity(0, 1, ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pid must be > 0, was 0");
        assertThatThrownBy(() -> new ProcessIdentity(1, -1, ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("startTime must be >= 0, was -1");
    }

    /** It may run for hours, and its ports are open. */
    @Test
    void processWithOnlyItsFirstThreadEndedIsNoZombie() {
        assertThat(new Proc.Stat('Z', 1, 2, 1, 0, 0, 0).isZombie()).isFalse();
        assertThat(new Proc.Stat('Z', 1, 1, 1, 0, 0, 0).isZombie()).isTrue();
        assertThat(new Proc.Stat('S', 1, 1, 1, 0, 0, 0).isZombie()).isFalse();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void exitIsKnownForCertain() {
        assertThat(self.hasEnded()).isFalse();
        assertThat(new ProcessIdentity(self.pid(), self.startTime() + 1, self.bootId()).hasEnded())
                .isTrue();
        assertThat(new ProcessIdentity(self.pid(), self.startTime(), "an earlier boot").hasEnded())
                .isTrue();
        assertThat(new ProcessIdentity(Long.MAX_VALUE, 1, self.bootId()).hasEnded())
                .isTrue();
    }

    @Test
    void programNameMayLookLikeTheFollowingFields() {
        String stat =
                "42 (a) Z 1 (b) x) S 7 42 42 0 -1 4194560 90 0 0 0 0 0 0 0 20 0 1 0 1234567 2500000 200 0 0 0 0 0 0 0"
                        + " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 70000 70100 0\n";

        assertThat(Proc.Stat.parse(stat)).isEqualTo(new Proc.Stat('S', 7, 1, 1_234_567, 2_500_000, 70_000, 70_100));
    }
}
