package io.github.workerregistry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Workers with one slot and with two, named by their slots, in a plain map. */
public class TwoWorkers {

    private final Map<Integer, Worker> workers = new LinkedHashMap<>();
    private final List<List<Worker>> leases =
            List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());

    private static final class Worker {
        final int slots;
        int inUse;
        boolean reported;
        boolean stopping;
        boolean used; // since the last report that changed it; the clock is fixed

        Worker(int slots) {
            this.slots = slots;
        }

        boolean isLeased() {
            return inUse > 0 && !reported;
        }

        void report(int slotsInUse) {
            used &= inUse == slotsInUse;
            inUse = slotsInUse;
            reported = slotsInUse > 0;
        }

        void add(int slotsInUse) {
            inUse += slotsInUse;
            used = true;
        }

        String label() {
            return stopping ? "stopping" : inUse > 0 ? "busy" : "idle";
        }
    }

    static String described(String state, int inUse) {
        return state + ", in use: " + inUse;
    }

    static String described(List<WorkerInfo> workers) {
        return workers.stream()
                .map(w -> w.id() + ": " + described(w.state().label(), w.slotsInUse()))
                .collect(Collectors.joining("; "));
    }

    private static String described(@Nullable Worker worker) {
        return worker == null ? "none" : described(worker.label(), worker.inUse);
    }

    public boolean register(int slots) {
        return workers.putIfAbsent(slots, new Worker(slots)) == null;
    }

    public String remove(int slots) {
        return described(workers.remove(slots));
    }

    public String get(int slots) {
        return described(workers.get(slots));
    }

    public String listed(int slots) {
        return get(slots);
    }

    public String list() {
        return workers.values().stream()
                .map(worker -> "w" + worker.slots + ": " + described(worker))
                .collect(Collectors.joining("; "));
    }

    public String stats() {
        int idle = 0;
        int busy = 0;
        int stopping = 0;
        int inUse = 0;
        for (Worker worker : workers.values()) {
            inUse += worker.inUse;
            switch (worker.label()) {
                case "idle" -> idle++;
                case "busy" -> busy++;
                default -> stopping++;
            }
        }
        return counted(idle, busy, stopping, inUse);
    }

    static String counted(int idle, int busy, int stopping, long inUse) {
        return idle + " idle, " + busy + " busy, " + stopping + " stopping, in use: " + inUse;
    }

    public String reportIdle(int slots) {
        return report(slots, 0);
    }

    public String reportBusy(int slots) {
        return report(slots, slots);
    }

    private String report(int slots, int slotsInUse) {
        Worker worker = workers.get(slots);
        if (worker != null) {
            if (worker.stopping || worker.isLeased()) {
                return "illegal";
            }
            worker.report(slotsInUse);
        }
        return described(worker);
    }

    public String stop(int slots) {
        Worker worker = workers.get(slots);
        if (worker != null) {
            if (worker.stopping) {
                return "illegal";
            }
            worker.stopping = true;
            if (worker.reported) {
                worker.report(0);
            }
        }
        return described(worker);
    }

    public boolean stopIfUnused(int slots) {
        Worker worker = workers.get(slots);
        boolean stops = worker != null && worker.label().equals("idle") && !worker.used;
        if (stops) {
            worker.stopping = true;
        }
        return stops;
    }

    public boolean tryAcquireFrom(int thread, int slots) {
        Worker worker = workers.get(slots);
        boolean acquired = worker != null && !worker.stopping && !worker.reported && worker.inUse < slots;
        if (acquired) {
            worker.add(1);
            leasesOf(thread).add(worker);
        }
        return acquired;
    }

    /** From any worker. */
    public boolean tryAcquire(int thread) {
        return tryAcquireFrom(thread, 1) || tryAcquireFrom(thread, 2);
    }

    public boolean acquire(int thread) {
        return tryAcquire(thread);
    }

    public boolean release(int thread) {
        List<Worker> leased = leasesOf(thread);
        boolean released = !leased.isEmpty();
        if (released && isRegistered(leased.get(leased.size() - 1))) {
            leased.get(leased.size() - 1).add(-1);
        }
        if (released) {
            leased.remove(leased.size() - 1);
        }
        return released;
    }

    public boolean isValid(int thread) {
        List<Worker> leased = leasesOf(thread);
        return !leased.isEmpty() && isRegistered(leased.get(leased.size() - 1));
    }

    private boolean isRegistered(Worker worker) {
        return workers.get(worker.slots) == worker;
    }

    private List<Worker> leasesOf(int thread) {
        return leases.get(Leases.index(thread));
    }
}
