package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.pool.PoolConfig.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Placements of a model that spans several devices. */
@ExtendWith(UnexpectedWarnings.class)
class RoomTest {

    /** Device {@code i} has {@code i} units. */
    private static Room devices(int count) {
        List<Device> devices =
                IntStream.range(0, count).mapToObj(i -> new Device("cpu", i, i)).toList();
        return new Room(new ArrayList<>(devices), 100);
    }

    private static ModelSpec spanning(int spanning, long units) {
        return ModelSpec.builder("a")
                .spanning(spanning)
                .units(units)
                .worker(WorkerSpec.builder().command("serve").url("http://fake"))
                .build();
    }

    @Test
    void allCombinationsOfEightDevicesAreConsidered() {
        assertThat(devices(8).placements(spanning(4, 1))).hasSize(70).doesNotHaveDuplicates();
    }

    @Test
    void devicesWithTheLeastRoomThatSufficesAreChosen() {
        assertThat(devices(8).bestFit(spanning(2, 3)).devices()).containsExactly(3, 4);
        assertThat(devices(64).bestFit(spanning(8, 30)).devices()).containsExactly(30, 31, 32, 33, 34, 35, 36, 37);
    }

    /** All combinations of 8 of 64 devices would be 4.4 billion. */
    @Test
    void ofManyCombinationsSomeAreConsideredWithEachDevice() {
        List<Placement> placements = devices(64).placements(spanning(8, 1));

        assertThat(placements).hasSizeLessThan(128).doesNotHaveDuplicates();
        for (int device = 0; device < 64; device++) {
            int named = device;
            assertThat(placements)
                    .filteredOn(placement -> placement.devices().contains(named))
                    .isNotEmpty()
                    .allMatch(placement -> placement.devices().size() == 8);
        }
    }

    @Test
    void namedDeviceIsCombinedWithThoseThatHaveRoom() {
        Room room = devices(64);
        for (int device = 2; device < 57; device++) {
            room.claim(new Placement("cpu", List.of(device), device));
        }
        assertThat(room.placements(spanning(8, 1)))
                .anyMatch(
                        placement -> room.fits(placement) && placement.devices().contains(1));
    }
}
