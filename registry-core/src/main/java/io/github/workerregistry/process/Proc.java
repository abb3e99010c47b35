package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.Optional;

/**
 * What this package reads of Linux's {@code /proc}. On a system without it everything is empty.
 *
 * <p>What cannot be read is empty: the process has just gone, or it is not ours to look at.
 */
final class Proc {

    private static final boolean AVAILABLE = read("/proc/self/stat").isPresent();
    private static final String BOOT_ID =
            read("/proc/sys/kernel/random/boot_id").orElse("").strip();

    private Proc() {}

    static boolean isAvailable() {
        return AVAILABLE;
    }

    /** Differs after every boot of the machine; empty where there is none. */
    static String bootId() {
        return BOOT_ID;
    }

    static Optional<Stat> stat(long pid) {
        return read("/proc/" + pid + "/stat").filter(text -> !text.isEmpty()).map(Stat::parse);
    }

    /** The environment that the process was started with: {@code NAME=value} entries, each ended by NUL. */
    static Optional<String> environment(long pid) {
        return read("/proc/" + pid + "/environ");
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
     * @param startTime in clock ticks since boot
     * @param memory virtual memory in bytes; none for a zombie or a thread of the kernel
     * @param environmentStart address in that memory
     * @param environmentEnd address in that memory
     */
    record Stat(char state, long startTime, long memory, long environmentStart, long environmentEnd) {

        private static final int FIRST = 3; // the field that follows the name of the program

        /** The name, in parentheses, may hold spaces and parentheses: only the last one ends it. */
        static Stat parse(String text) {
            String[] fields = text.substring(text.lastIndexOf(')') + 2).strip().split(" ", -1);
            return new Stat(
                    fields[3 - FIRST].charAt(0),
                    Long.parseLong(fields[22 - FIRST]),
                    Long.parseLong(fields[23 - FIRST]),
                    Long.parseLong(fields[50 - FIRST]),
                    Long.parseLong(fields[51 - FIRST]));
        }

        /** Dead, with nothing left but an exit code that its parent has not collected. */
        boolean isZombie() {
            return state == 'Z' || state == 'X';
        }

        /** Amid {@code exec} the new memory has no environment yet, not even an empty one. */
        boolean hasNoEnvironment() {
            return memory == 0 || (environmentStart == environmentEnd && environmentEnd != 0);
        }
    }
}
