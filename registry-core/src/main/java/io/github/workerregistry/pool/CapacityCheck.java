package io.github.workerregistry.pool;

import io.github.workerregistry.pool.PoolConfig.Device;
import java.util.Comparator;
import java.util.List;

/** Whether each model fits on devices, and the workers that are always loaded fit together. */
final class CapacityCheck {

    private final List<Device> devices;
    private final int maxWorkers;

    CapacityCheck(List<Device> devices, int maxWorkers) {
        this.devices = devices;
        this.maxWorkers = maxWorkers;
    }

    void require(List<ModelSpec> models, Faults faults) {
        int fewer = 0;
        for (ModelSpec model : models) {
            if (!fits(model, faults)) {
                fewer++;
            }
        }
        if (fewer == 0) {
            requireMinimum(models, faults);
        }
    }

    private boolean fits(ModelSpec model, Faults faults) {
        if (devices.isEmpty()) {
            return true;
        }
        List<Device> own = devices.stream()
                .filter(device -> device.backend().equals(model.backend()))
                .toList();
        boolean known = true;
        if (own.isEmpty()) {
            faults.add(model.named() + ": unknown device: there is none of backend " + model.backend());
            known = false;
        }
        for (int index : model.devices()) {
            if (!own.isEmpty() && own.stream().noneMatch(device -> device.index() == index)) {
                faults.add(model.named() + ": unknown device " + model.backend() + " " + index);
                known = false;
            }
        }
        if (!known) {
            return false;
        }
        List<Long> room = own.stream()
                .filter(device -> model.devices().isEmpty() || model.devices().contains(device.index()))
                .map(Device::units)
                .sorted(Comparator.reverseOrder())
                .toList();
        if (room.size() < model.spanning()) {
            faults.add(model.named() + ": spans " + model.spanning() + " devices, but may have only " + room.size());
            return false;
        }
        long largest = room.get(model.spanning() - 1);
        if (model.units() > largest) {
            faults.add(model.named() + " can never fit: units " + model.units() + " > " + largest
                    + (model.spanning() == 1 ? " of its largest device" : " of its devices"));
            return false;
        }
        return true;
    }

    /** Places all workers that are always loaded, the largest first. */
    private void requireMinimum(List<ModelSpec> models, Faults faults) {
        Room room = new Room(devices, maxWorkers);
        models.stream()
                .sorted(Comparator.comparingLong(ModelSpec::units).reversed())
                .forEach(model -> place(model, room, faults));
    }

    private static void place(ModelSpec model, Room room, Faults faults) {
        for (int i = 1; i <= model.minWorkers(); i++) {
            Placement placement = room.bestFit(model);
            if (placement == null) {
                faults.add(model.named() + ": its minWorkers " + model.minWorkers()
                        + " do not fit together with those of the other models; there is room for " + (i - 1));
                return;
            }
            room.claim(placement);
        }
    }
}
