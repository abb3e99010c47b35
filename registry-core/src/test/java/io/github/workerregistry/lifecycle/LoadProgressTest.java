package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Which output of a load is progress. Output is read every 50 ms here; times are in ms. */
@ExtendWith(UnexpectedWarnings.class)
class LoadProgressTest {

    private static final long NEVER = -1;

    private final LoadProgress load = new LoadProgress();
    private long written;

    private static Instant at(long millis) {
        return Instant.EPOCH.plusMillis(millis);
    }

    private void read(long millis) {
        load.outputRead(written, at(millis));
    }

    private void writeAndRead(long millis) {
        written++;
        read(millis);
    }

    private long lastProgress() {
        return load.last().equals(Instant.MIN) ? NEVER : load.last().toEpochMilli();
    }

    @Test
    void outputBeforeTheFirstProbeIsProgress() {
        writeAndRead(50);

        assertThat(lastProgress()).isEqualTo(50);
    }

    @Test
    void outputThatDoesNotGrowIsNoProgress() {
        writeAndRead(50);
        read(100);
        load.outputRead(0, at(150));

        assertThat(lastProgress()).isEqualTo(50);
        assertThat(load.lastOutput()).isEqualTo(at(50));
    }

    @Test
    void outputWhileAProbeIsOpenIsOutputButNoProgress() {
        read(50);
        load.probeOpened();
        writeAndRead(100);
        writeAndRead(5_000);

        assertThat(lastProgress()).isEqualTo(NEVER);
        assertThat(load.lastOutput()).isEqualTo(at(5_000));
    }

    /** The probe may have caused it just before it ended. */
    @Test
    void outputThatComesWithin100MillisAfterAProbeIsNoProgress() {
        read(50);
        load.probeOpened();
        load.probeClosed(at(60));
        writeAndRead(100);
        writeAndRead(150);
        writeAndRead(200); // the read before was 90 ms after the end of the probe

        assertThat(lastProgress()).isEqualTo(NEVER);
        writeAndRead(250);
        assertThat(lastProgress()).isEqualTo(250);
    }

    @Test
    void outputIsProgressFromAReadAt100MillisAfterAProbeOn() {
        read(50);
        load.probeOpened();
        load.probeClosed(at(50));
        read(150);
        writeAndRead(200);

        assertThat(lastProgress()).isEqualTo(200);
    }

    /** A probe that opened and closed between two reads is not visible otherwise. */
    @Test
    void outputIsNoProgressIfAProbeOpenedSinceTheReadBefore() {
        read(50);
        load.probeOpened();
        load.probeClosed(at(51));
        writeAndRead(1_000);
        assertThat(lastProgress()).isEqualTo(NEVER);

        writeAndRead(1_050);
        assertThat(lastProgress()).isEqualTo(1_050);
    }

    @Test
    void reportIsProgressAlsoWhileAProbeIsOpen() {
        load.probeOpened();
        assertThat(load.isReported()).isFalse();
        load.report(at(70));

        assertThat(load.isReported()).isTrue();
        assertThat(lastProgress()).isEqualTo(70);
        assertThat(load.lastOutput()).isEqualTo(Instant.MIN);
    }
}
