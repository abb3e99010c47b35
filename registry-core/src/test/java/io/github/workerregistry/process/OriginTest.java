package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class OriginTest {

    private static final ProcessIdentity HIVE = new ProcessIdentity(4711, 88_123, "3f0c-boot");

    private final Origin here = Origin.here("default", "w", "start.1");

    @Test
    void markHasTheFormOfAPath() {
        Origin origin = new Origin("gpu box", HIVE, "4026531836", "a/b=ü%", "5d1e.7");

        assertThat(origin.mark().value())
                .isEqualTo("gpu%0020box/4711/88123/3f0c-boot/4026531836/a%002fb%003d%00fc%0025/5d1e.7");
        assertThat(Origin.of(origin.mark())).hasValue(origin);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "5d1e.7",
                "default",
                "gpu box/4711/88123/3f0c-boot/4026531836/w/5d1e.7",
                "default/4711/88123/3f0c-boot/4026531836/w/5d1e.7/",
                "default/4711/88123/3f0c-boot/4026531836/w",
                "default/0/88123/3f0c-boot/4026531836/w/5d1e.7",
                "default/4711/-1/3f0c-boot/4026531836/w/5d1e.7",
                "default/+4711/88123/3f0c-boot/4026531836/w/5d1e.7",
                "default/04711/88123/3f0c-boot/4026531836/w/5d1e.7",
                "default/4711/99999999999999999999/3f0c-boot/4026531836/w/5d1e.7",
                "default/4711/88123/3f0c-boot/4026531836/%0077/5d1e.7",
                "default/4711/88123/3f0c-boot/4026531836/%20/5d1e.7",
            })
    void malformedMarkIsIgnored(String similar) {
        assertThat(Origin.of(new ProcessMark(similar))).isEmpty();
    }

    /** Regression: a forged mark of 100,000 characters caused a log line of 100 kB for each process. */
    @Test
    void markWithATooLongNameIsIgnored() {
        String longest = "w".repeat(256);
        String escaped = "\u6a21".repeat(256);
        for (String name : new String[] {longest, escaped}) {
            Origin origin = new Origin(name, HIVE, "4026531836", name, "5d1e.7");
            assertThat(Origin.of(origin.mark())).hasValue(origin);
        }

        for (String name : new String[] {longest + "w", escaped + "w", "w".repeat(100_000)}) {
            assertThat(Origin.of(new Origin("default", HIVE, "4026531836", name, "5d1e.7").mark()))
                    .isEmpty();
            assertThat(Origin.of(new Origin(name, HIVE, "4026531836", "w", "5d1e.7").mark()))
                    .isEmpty();
            ProcessIdentity hive = new ProcessIdentity(4711, 88_123, name);
            assertThat(Origin.of(new Origin("default", hive, "4026531836", "w", "5d1e.7").mark()))
                    .isEmpty();
        }
        assertThat(Origin.of(new Origin("default", HIVE, "1".repeat(257), "w", "5d1e.7").mark()))
                .isEmpty();
        assertThat(Origin.of(new Origin("default", HIVE, "4026531836", "w", "5".repeat(257)).mark()))
                .isEmpty();
    }

    @Test
    void processStartedByThisJvmIsNoOrphan() {
        assertThat(here.hive()).isEqualTo(ProcessIdentity.of(ProcessHandle.current()));
        assertThat(here.isOrphaned()).isFalse();
        assertThat(Origin.of(here.mark())).hasValue(here);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void hiveIsDeadIfItsPidWasReused() {
        assertThat(startedBy(here.hive().startTime() + 1, here.hive().bootId()).isOrphaned())
                .isTrue();
        assertThat(startedBy(here.hive().startTime(), "an earlier boot").isOrphaned())
                .isTrue();
    }

    /** Otherwise a hive that could not read its own start time would lose its workers to the next one that starts. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void processOfAHiveInAnUnknownStateIsNoOrphan() {
        assertThat(startedBy(0, here.hive().bootId()).isOrphaned()).isFalse();
        assertThat(startedBy(here.hive().startTime() + 1, "").isOrphaned()).isFalse();
        Origin elsewhere = new Origin(
                "default",
                new ProcessIdentity(
                        here.hive().pid(),
                        here.hive().startTime() + 1,
                        here.hive().bootId()),
                "1",
                "w",
                "start.1");
        assertThat(elsewhere.isOrphaned()).isFalse();
    }

    private Origin startedBy(long startTime, String bootId) {
        ProcessIdentity hive = new ProcessIdentity(here.hive().pid(), startTime, bootId);
        return new Origin("default", hive, here.namespace(), "w", "start.1");
    }
}
