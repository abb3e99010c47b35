package io.github.workerregistry.examples.queen;

import java.util.List;
import java.util.Locale;

/**
 * The calculated load on an ensemble of five servers for a fleet that is too large for a test machine.
 *
 * @param workers workers per hive
 * @param bytes size of a snapshot
 * @param heap memory of the queen for one hive, in bytes
 */
record OnPaper(int workers, int bytes, long heap) {

    private static final int HIVES = 10_000;

    /** Hunt et al., ZooKeeper, USENIX ATC 2010, table 1: five servers, values of 1 kB. */
    private static final int WRITES = 18_000;

    private static final int READS = 165_000;

    /** 10 Gbit/s, from the leader to four followers. */
    private static final double LEADER = 1.25e9 / 4;

    private static final double INTERVAL = HivePublisher.DEFAULT_INTERVAL.toMillis() / 1e3;
    private static final double LOOK = HivePublisher.INTERVALS_PER_CHECK * INTERVAL;

    List<String> lines() {
        double most = HIVES / INTERVAL;
        double carried = Math.min(WRITES, LEADER / bytes);
        double looks = HIVES / LOOK;
        return List.of(
                line("on paper, %,d hives of %,d workers:", HIVES, workers),
                line(
                        "    all change all the time: %,d hives / %.1f s = %,.0f writes a second, x %,d bytes = %,.0f MB/s",
                        HIVES, INTERVAL, most, bytes, most * bytes / 1e6),
                line(
                        "    five servers carry %,d writes a second of 1 kB (Hunt et al., ZooKeeper, USENIX ATC 2010,"
                                + " table 1)",
                        WRITES),
                line(
                        "    a leader with 10 Gbit/s sends each write to 4 followers: 1,250 MB/s / 4 / %,d bytes = %,.0f"
                                + " writes a second",
                        bytes, LEADER / bytes),
                line(
                        "    the lesser of the two, %,.0f a second, is a write of each hive every %.1f s:"
                                + " --publish-interval %dms",
                        carried, HIVES / carried, (int) Math.ceil(HIVES / carried * 10) * 100),
                line(
                        "    each queen reads, and each server logs, what is written: %,.0f MB/s at that rate",
                        carried * bytes / 1e6),
                line(
                        "    hives of which one in %.0f changes at a time fit with the default of %d ms",
                        most / carried, HivePublisher.DEFAULT_INTERVAL.toMillis()),
                line(
                        "    each looks at its node every %.0f s: %,.0f reads a second of some 100 bytes, of the %,d that"
                                + " five servers answer (same table); to write it anew instead would be %,.0f MB/s",
                        LOOK, looks, READS, looks * bytes / 1e6),
                line(
                        "    in the memory of each server: %,d x %,d bytes = %,d MB; of each queen: %,d MB",
                        HIVES, bytes, (long) HIVES * bytes / 1_000_000, (heap * HIVES) >> 20),
                line(
                        "    sessions: %,d, each with a ping every third of 10 s: %,.0f a second",
                        HIVES, HIVES / (10 / 3.0)));
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation is not on this program's class path
    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
