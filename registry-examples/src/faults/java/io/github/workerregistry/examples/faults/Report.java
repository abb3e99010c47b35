package io.github.workerregistry.examples.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The final table, and whether a line of it is off. */
final class Report {

    /** Below this probability, a kind whose faults were all overtaken is not explained by chance. */
    private static final double NO_CHANCE = 0.001;

    private final List<String> lines = new ArrayList<>();
    private int off;

    /**
     * One line for each kind. A kind without an observed effect is off if the run was long enough, and otherwise only a
     * note.
     *
     * @param cards number of played cards of the {@link Deck}
     */
    void faults(Ledger ledger, Bounds bounds, int cards, Optional<String> whyDiskIsNeverFull) {
        lines.add(row(
                "what was done, or had to follow",
                "count",
                "as expected",
                "overtaken",
                "bound",
                "median",
                "worst",
                "missed"));
        double overtaken = shareOvertaken(ledger);
        for (FaultKind kind : FaultKind.values()) {
            Tally.Counts counts = ledger.counts(kind);
            if (kind == FaultKind.DISK_FULL && whyDiskIsNeverFull.isPresent()) {
                lines.add(kind.title() + ": skipped, " + whyDiskIsNeverFull.get());
            } else if (counts.missed() > 0 || counts.asExpected() > 0) {
                line(counts.missed() == 0, fault(kind, counts, bounds));
            } else if (counts.injected() == 0) {
                absent(kind, fault(kind, counts, bounds), cards);
            } else {
                double chance = counts.overtaken() == counts.injected() ? Math.pow(overtaken, counts.injected()) : 0;
                line(chance >= NO_CHANCE, fault(kind, counts, bounds) + "   always overtaken");
            }
        }
    }

    private void absent(FaultKind kind, String text, int cards) {
        boolean owed = Deck.owed(kind, cards) > 0;
        line(
                !owed,
                text
                        + (owed
                                ? ""
                                : "   did not come: of " + Deck.enough() + " faults that bring every kind, the run had "
                                        + cards));
    }

    /** The share of all injected faults; never exactly 0 or 1. */
    private static double shareOvertaken(Ledger ledger) {
        double injected = 2;
        double overtaken = 1;
        for (FaultKind kind : FaultKind.values()) {
            if (!kind.isConsequence()) {
                injected += ledger.counts(kind).injected();
                overtaken += ledger.counts(kind).overtaken();
            }
        }
        return overtaken / injected;
    }

    private static String fault(FaultKind kind, Tally.Counts counts, Bounds bounds) {
        boolean survive = kind.mustSurvive();
        return row(
                kind.title(),
                counts.injected(),
                counts.asExpected(),
                counts.overtaken(),
                survive ? "survive" : millis(bounds.of(kind).toNanos()),
                survive ? "" : millis(counts.median()),
                survive ? "" : millis(counts.worst()),
                counts.missed());
    }

    /** A count that must be 0. */
    void none(String what, long count) {
        line(count == 0, String.format(Locale.ROOT, "%-60s %,d", what, count));
    }

    /** A collection that must be empty; its elements are listed. */
    void none(String what, Collection<?> things) {
        none(things.isEmpty() ? what : what + ": " + things, things.size());
    }

    /** A line that is right or off. */
    void line(boolean right, String text) {
        lines.add(right ? text : text + "   <-- off");
        off += right ? 0 : 1;
    }

    /** A line that is only a note. */
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
        String outcome = off == 0 ? "Every line is as it should be." : off + " lines are off.";
        return String.join(System.lineSeparator(), lines) + System.lineSeparator() + outcome;
    }
}
