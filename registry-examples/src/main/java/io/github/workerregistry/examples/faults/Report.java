package io.github.workerregistry.examples.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The table at the end, and whether a line of it is off. */
final class Report {

    private final List<String> lines = new ArrayList<>();
    private int off;

    /** One line for each kind. What did not happen at all is off: then nothing was shown. */
    void faults(Ledger ledger, Bounds bounds, Optional<String> whyDiskIsNeverFull) {
        lines.add(row(
                "what was done, or had to follow",
                "count",
                "as expected",
                "overtaken",
                "bound",
                "median",
                "worst",
                "missed"));
        for (FaultKind kind : FaultKind.values()) {
            Tally.Counts counts = ledger.counts(kind);
            if (kind == FaultKind.DISK_FULL && whyDiskIsNeverFull.isPresent()) {
                lines.add(kind.title() + ": skipped, " + whyDiskIsNeverFull.get());
            } else {
                fault(kind, counts, bounds);
            }
        }
    }

    private void fault(FaultKind kind, Tally.Counts counts, Bounds bounds) {
        boolean survive = kind.mustSurvive();
        line(
                counts.missed() == 0 && counts.asExpected() > 0,
                row(
                        kind.title(),
                        counts.injected(),
                        counts.asExpected(),
                        counts.overtaken(),
                        survive ? "survive" : millis(bounds.of(kind).toNanos()),
                        survive ? "" : millis(counts.median()),
                        survive ? "" : millis(counts.worst()),
                        counts.missed()));
    }

    /** A count that must be 0. */
    void none(String what, long count) {
        line(count == 0, String.format(Locale.ROOT, "%-60s %,d", what, count));
    }

    /** Things of which there must be none; those that there are, are named. */
    void none(String what, Collection<?> things) {
        none(things.isEmpty() ? what : what + ": " + things, things.size());
    }

    /** A line that is right or wrong. */
    void line(boolean right, String text) {
        lines.add(right ? text : text + "   <-- off");
        off += right ? 0 : 1;
    }

    /** A line that says something and can't be wrong. */
    void note(String text) {
        lines.add(text);
    }

    private static String row(Object... cells) {
        return String.format(Locale.ROOT, "%-30s %9s %12s %10s %10s %10s %10s %7s", cells);
    }

    private static String millis(long nanos) {
        double millis = Duration.ofNanos(nanos).toNanos() / 1e6;
        return String.format(Locale.ROOT, millis < 10 ? "%,.1f ms" : "%,.0f ms", millis);
    }

    int off() {
        return off;
    }

    /** 0 if every line is as it should be, else 1. */
    int exitCode() {
        return off == 0 ? 0 : 1;
    }

    String text() {
        String verdict = off == 0 ? "Every line is as it should be." : off + " lines are off.";
        return String.join(System.lineSeparator(), lines) + System.lineSeparator() + verdict;
    }
}
