package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class OrphanReaperTest {

    @Test
    void hiveIdIsCheckedAsAName() {
        for (String bad : List.of("", " ", "a\nb", "a\0b", "x".repeat(257))) {
            assertThatThrownBy(() -> OrphanReaper.of(bad))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("hiveId must");
            assertThatThrownBy(
                            () -> LocalProcessController.builder().hiveId(bad).build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("hiveId must");
        }
        assertThatThrownBy(() -> OrphanReaper.of(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("hiveId");
    }

    @Test
    void controllerReportsItsHiveId() {
        assertThat(LocalProcessController.create().hiveId()).isEqualTo("default");
        assertThat(LocalProcessController.builder().hiveId("gpu box").build().hiveId())
                .isEqualTo("gpu box");
    }

    @Test
    void timeoutMustBePositive() {
        assertThatThrownBy(() -> OrphanReaper.of("default", Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("timeout must be > 0, was PT0S");
    }

    @Test
    @DisabledOnOs(OS.LINUX)
    void reportSaysNotSupportedOnOtherSystems() {
        assertThat(OrphanReaper.of("default").reap()).isEqualTo(OrphanReport.unsupported());
    }
}
