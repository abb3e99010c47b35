package io.github.workerregistry.pool;

import io.github.workerregistry.pool.PoolConfig.Device;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Room on devices, and for a number of workers. May be negative, after a promise. Not thread-safe. */
final class Room {

    private final List<Device> devices;
    private final long[] units; // by position in devices
    private long workers;

    /** All of it. */
    Room(List<Device> devices, long maxWorkers) {
        this.devices = devices;
        units = devices.stream().mapToLong(Device::units).toArray();
        workers = maxWorkers;
    }

    private Room(Room other) {
        devices = other.devices;
        units = other.units.clone();
        workers = other.workers;
    }

    Room copy() {
        return new Room(this);
    }

    void claim(Placement placement) {
        change(placement, -1);
    }

    void release(Placement placement) {
        change(placement, 1);
    }

    private void change(Placement placement, int sign) {
        workers += sign;
        for (int i = 0; i < units.length; i++) {
            if (isOn(placement, devices.get(i))) {
                units[i] += sign * placement.units();
            }
        }
    }

    private static boolean isOn(Placement placement, Device device) {
        return device.backend().equals(placement.backend())
                && placement.devices().contains(device.index());
    }

    boolean fits(Placement placement) {
        for (int i = 0; i < units.length; i++) {
            if (units[i] < placement.units() && isOn(placement, devices.get(i))) {
                return false;
            }
        }
        return workers >= 1;
    }

    /** Whether a claim that is released would leave more room where a placement lacks it. */
    boolean isShortOf(Placement wanted, Placement held) {
        for (int i = 0; i < units.length; i++) {
            Device device = devices.get(i);
            if (units[i] < wanted.units() && isOn(wanted, device) && isOn(held, device)) {
                return true;
            }
        }
        return workers < 1;
    }

    /** The tightest placement of a model that fits; null if there is none. */
    @Nullable
    Placement bestFit(ModelSpec model) {
        return placements(model).stream().filter(this::fits).findFirst().orElse(null);
    }

    /** All placements that the model may have, fitting or not, the tightest first. */
    List<Placement> placements(ModelSpec model) {
        if (devices.isEmpty()) {
            return List.of(new Placement(model.backend(), firstDevices(model), model.units()));
        }
        List<Integer> own = new ArrayList<>();
        for (int i = 0; i < units.length; i++) {
            if (mayHave(model, devices.get(i))) {
                own.add(i);
            }
        }
        own.sort(Comparator.<Integer>comparingLong(i -> units[i])
                .thenComparingInt(i -> devices.get(i).index()));
        List<Placement> found = new ArrayList<>();
        combine(own.stream().map(i -> devices.get(i).index()).toList(), 0, new ArrayDeque<>(), model, found);
        return found;
    }

    private static boolean mayHave(ModelSpec model, Device device) {
        return device.backend().equals(model.backend())
                && (model.devices().isEmpty() || model.devices().contains(device.index()));
    }

    private static List<Integer> firstDevices(ModelSpec model) {
        return model.devices().size() >= model.spanning()
                ? model.devices().stream().sorted().limit(model.spanning()).toList()
                : IntStream.range(0, model.spanning()).boxed().toList();
    }

    private static void combine(
            List<Integer> own, int from, Deque<Integer> chosen, ModelSpec model, List<Placement> found) {
        if (chosen.size() == model.spanning()) {
            found.add(new Placement(model.backend(), chosen, model.units()));
            return;
        }
        for (int i = from; i < own.size(); i++) {
            chosen.addLast(own.get(i));
            combine(own, i + 1, chosen, model, found);
            chosen.removeLast();
        }
    }
}
