package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What this package reads of Linux's {@code /proc}. On a system without it everything is empty.
 *
 * <p>What cannot be read is empty: the process has just gone, or it is not ours to look at.
 */
final class Proc {

    private static final boolean AVAILABLE = read("/proc/self/stat").isPresent();
    private static final String BOOT_ID =
            read("/proc/sys/kernel/random/boot_id").orElse("").strip();
    private static final String PID_NAMESPACE = readPidNamespace();

    private Proc() {}

    static boolean isAvailable() {
        return AVAILABLE;
    }

    /** Differs after every boot of the machine; empty where there is none. */
    static String bootId() {
        return BOOT_ID;
    }

    /** Whether a process can be named so that no other one, of another boot either, is taken for it. */
    static boolean identifiesProcesses() {
        return AVAILABLE && !BOOT_ID.isEmpty();
    }

    /**
     * The number of the pid namespace that this JVM is in, which containers on one machine do not share; empty where it
     * cannot be read. A pid says something only to processes of the same namespace.
     */
    static String pidNamespace() {
        return PID_NAMESPACE;
    }

    /** Whether nobody has this pid, for certain. Needs no file descriptor, unlike a look at the process. */
    static boolean isGone(long pid) {
        return Files.notExists(Path.of("/proc/" + pid));
    }

    /** All pids there are; none if the list cannot be read. */
    static Set<Long> pids() {
        Set<Long> pids = new HashSet<>();
        String[] names = new File("/proc").list();
        for (String name : names == null ? new String[0] : names) {
            if (Character.isDigit(name.charAt(0))) {
                pids.add(Long.valueOf(name));
            }
        }
        return pids;
    }

    /** The pid that was given out last in this namespace; none where that is not told. */
    static OptionalLong lastPid() {
        return read("/proc/loadavg").map(Proc::lastNumber).orElse(OptionalLong.empty());
    }

    private static OptionalLong lastNumber(String text) {
        String number = text.substring(text.lastIndexOf(' ') + 1).strip();
        return number.matches("[0-9]{1,18}") ? OptionalLong.of(Long.parseLong(number)) : OptionalLong.empty();
    }

    static Optional<Stat> stat(long pid) {
        return read("/proc/" + pid + "/stat").filter(text -> !text.isEmpty()).map(Stat::parse);
    }

    /** The environment that the process was started with: {@code NAME=value} entries, each ended by NUL. */
    static Optional<String> environment(long pid) {
        return read("/proc/" + pid + "/environ");
    }

    /** The link leads to {@code pid:[4026531836]}. */
    private static String readPidNamespace() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return target.replaceAll("[^0-9]", "");
        } catch (IOException | RuntimeException e) {
            return "";
        }
    }

    /** Not through a channel: that would fail, and hide every process, when the calling thread is interrupted. */
    private static Optional<String> read(String file) {
        try (FileInputStream in = new FileInputStream(file)) {
            return Optional.of(new String(in.readAllBytes(), ISO_8859_1));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * The part of {@code /proc/PID/stat} that is needed here; proc(5) has the rest.
     *
     * @param state a letter, that of its first thread
     * @param parent the pid of its parent; 0 of the first process
     * @param threads how many threads are left, counting the first one also when it has ended
     * @param startTime in clock ticks since boot
     * @param memory virtual memory in bytes; 0 for a zombie or a thread of the kernel
     * @param environmentStart address in that memory
     * @param environmentEnd address in that memory
     */
    record Stat(
            char state,
            long parent,
            long threads,
            long startTime,
            long memory,
            long environmentStart,
            long environmentEnd) {

        private static final int FIRST = 3; // the field that follows the name of the program

        /** The name, in parentheses, may hold spaces and parentheses: only the last one ends it. */
        static Stat parse(String text) {
            String[] fields = text.substring(text.lastIndexOf(')') + 2).strip().split(" ", -1);
            return new Stat(
                    fields[3 - FIRST].charAt(0),
                    Long.parseLong(fields[4 - FIRST]),
                    Long.parseLong(fields[20 - FIRST]),
                    Long.parseLong(fields[22 - FIRST]),
                    Long.parseLong(fields[23 - FIRST]),
                    Long.parseLong(fields[50 - FIRST]),
                    Long.parseLong(fields[51 - FIRST]));
        }

        /**
         * Dead, with nothing left but an exit code that its parent has not collected. The state is that of the first
         * thread only: while others are left, they may go on for long, and their files and ports stay open.
         */
        boolean isZombie() {
            return (state == 'Z' || state == 'X') && threads <= 1;
        }

        /** Amid {@code exec} the new memory has no environment yet, not even an empty one. */
        boolean hasNoEnvironment() {
            return memory == 0 || (environmentStart == environmentEnd && environmentEnd != 0);
        }
    }
}
