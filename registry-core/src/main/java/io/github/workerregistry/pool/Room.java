package io.github.workerregistry.pool;

import io.github.workerregistry.pool.PoolConfig.Device;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Room on devices, and for a number of workers. May be negative, after a promise. Not thread-safe. */
final class Room {

    /** Of more combinations than these only some are considered: all of 8 devices, and all pairs of 16. */
    private static final int MANY = 128;

    private final List<Device> devices;
    private final Map<Shape, List<Placement>> placements = new HashMap<>(); // until the room changes
    private final long[] units; // by position in devices
    private long workers;

    /** What the placements of a model depend on. */
    private record Shape(String backend, Set<Integer> devices, int spanning, long units) {}

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
        placements.clear();
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
        if (workers < 1) {
            return false;
        }
        for (int i = 0; i < units.length; i++) {
            if (units[i] < placement.units() && isOn(placement, devices.get(i))) {
                return false;
            }
        }
        return true;
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

    /**
     * The placements that the model may have, fitting or not, the tightest first. All of them, or if there are too many
     * combinations of devices, each device with those that are next in the order of their room.
     */
    List<Placement> placements(ModelSpec model) {
        return placements.computeIfAbsent(
                new Shape(model.backend(), model.devices(), model.spanning(), model.units()), first -> find(model));
    }

    private List<Placement> find(ModelSpec model) {
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
        List<Integer> inOrder = own.stream().map(i -> devices.get(i).index()).toList();
        List<List<Integer>> chosen = new ArrayList<>();
        if (combinations(inOrder.size(), model.spanning()) <= MANY) {
            combine(inOrder, 0, new ArrayDeque<>(), model.spanning(), chosen);
        } else {
            neighbours(inOrder, model.spanning(), chosen);
        }
        return chosen.stream()
                .map(indices -> new Placement(model.backend(), indices, model.units()))
                .toList();
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

    /** How many there are to choose {@code chosen} of {@code all}; not exact if more than {@link #MANY}. */
    private static long combinations(int all, int chosen) {
        long found = 1;
        for (int i = 1; i <= chosen && found <= MANY; i++) {
            found = found * (all - chosen + i) / i;
        }
        return found;
    }

    private static void combine(
            List<Integer> own, int from, Deque<Integer> begun, int spanning, List<List<Integer>> found) {
        if (begun.size() == spanning) {
            found.add(List.copyOf(begun));
            return;
        }
        for (int i = from; i < own.size(); i++) {
            begun.addLast(own.get(i));
            combine(own, i + 1, begun, spanning, found);
            begun.removeLast();
        }
    }

    /** If any devices have room, some neighbours have: those with the least that suffices. */
    private static void neighbours(List<Integer> own, int spanning, List<List<Integer>> found) {
        int last = own.size() - spanning;
        for (int i = 0; i <= last; i++) {
            found.add(own.subList(i, i + spanning));
        }
        for (int i = 0; i < last; i++) { // a device that a request names, with those that have the most room
            List<Integer> named = new ArrayList<>(own.subList(last + 1, own.size()));
            named.add(own.get(i));
            found.add(named);
        }
    }
}
