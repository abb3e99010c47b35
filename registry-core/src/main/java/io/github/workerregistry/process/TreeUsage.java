package io.github.workerregistry.process;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sums what the processes of a tree use, from {@code /proc/PID/stat} and {@code /proc/PID/status}; see proc(5). */
final class TreeUsage {

    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s*(\\d+) kB");

    /** A clock tick of {@code /proc} is 10 ms on all architectures that the JDK supports. */
    private static final int MILLIS_PER_TICK = 10;

    private static final int FIRST = 3; // number of the field after the program name
    private static final int USER_TIME = 14;
    private static final int SYSTEM_TIME_OF_CHILDREN = 17;

    private long residentBytes;
    private long cpuTicks;
    private int threads;
    private int processes;

    private TreeUsage() {}

    /**
     * The usage of processes; empty if none runs.
     *
     * @throws UnreadableException if one cannot be read now
     */
    static Optional<ProcessUsage> of(Collection<ProcessIdentity> processes) {
        TreeUsage sum = new TreeUsage();
        for (ProcessIdentity process : processes) {
            if (!process.hasEnded()) {
                sum.add(process.pid());
            }
        }
        return sum.processes == 0 ? Optional.empty() : Optional.of(sum.toUsage());
    }

    private ProcessUsage toUsage() {
        return new ProcessUsage(residentBytes, Duration.ofMillis(cpuTicks * MILLIS_PER_TICK), threads, processes);
    }

    /** Skips a process that has exited meanwhile. */
    private void add(long pid) {
        Optional<String> text = read(pid + "/stat").map(lines -> String.join("\n", lines));
        if (text.isEmpty()) {
            return;
        }
        cpuTicks += cpuTicks(text.get());
        Proc.Stat stat = Proc.Stat.parse(text.get());
        if (!stat.isZombie()) { // else only its time is left
            processes++;
            threads += Math.toIntExact(stat.threads());
            residentBytes += residentBytes(pid, stat);
        }
    }

    private static Optional<List<String>> read(String name) {
        Reading<List<String>> lines = Proc.linesWhile(name, line -> true);
        if (lines.value().isEmpty() && !lines.isAbsent()) {
            throw new UnreadableException(name, null);
        }
        return lines.value().filter(read -> !read.isEmpty());
    }

    private static long cpuTicks(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).strip().split(" ", -1);
        long ticks = 0;
        for (int field = USER_TIME; field <= SYSTEM_TIME_OF_CHILDREN; field++) {
            ticks += Long.parseLong(fields[field - FIRST]);
        }
        return ticks;
    }

    /** An ended first thread shows no memory, although others run. */
    private static long residentBytes(long pid, Proc.Stat stat) {
        String task = stat.livesInOtherThreads()
                ? LiveThreadFinder.of(pid).value().orElse(Long.toString(pid))
                : Long.toString(pid);
        return read(task + "/status").orElse(List.of()).stream()
                .map(RESIDENT::matcher)
                .filter(Matcher::matches)
                .mapToLong(line -> Long.parseLong(line.group(1)) * 1024)
                .sum();
    }
}
