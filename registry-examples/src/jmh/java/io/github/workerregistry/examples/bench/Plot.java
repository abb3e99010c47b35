package io.github.workerregistry.examples.bench;

import io.github.workerregistry.examples.bench.Workload.Free;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A plot of the cost to acquire and release a slot by number of workers, both on logarithmic axes, as SVG: a panel for
 * each of {@link Free}, a line for each subject; two threads, one model.
 */
final class Plot {

    private static final int THREADS = 2;
    private static final int PANEL = 270;
    private static final int LEFT = 70;
    private static final int TOP = 50;
    private static final int HEIGHT = 320;
    private static final int GAP = 30;
    private static final int WIDTH = LEFT + 3 * (PANEL + GAP);
    private static final int BELOW = 95;

    private final List<Results.Slots> runs;
    private final double lowest;
    private final double highest;
    private final double fewest;
    private final double most;
    private final StringBuilder svg = new StringBuilder();

    Plot(List<Results.Slots> all) {
        runs = all.stream()
                .filter(run -> run.threads() == THREADS && run.workload().models() == 1)
                .sorted(Comparator.comparingInt(run -> run.workload().workers()))
                .toList();
        var nanos = runs.stream().mapToDouble(Results.Slots::nanos).summaryStatistics();
        lowest = runs.isEmpty() ? 1 : Math.floor(Math.log10(nanos.getMin()));
        highest = runs.isEmpty() ? 4 : Math.ceil(Math.log10(nanos.getMax()));
        var workers = runs.stream().mapToInt(run -> run.workload().workers()).summaryStatistics();
        fewest = runs.isEmpty() ? 1 : Math.log10(workers.getMin());
        most = runs.isEmpty() ? 5 : Math.log10(Math.max(workers.getMax(), 10 * workers.getMin()));
    }

    String svg() {
        add(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>",
                WIDTH, TOP + HEIGHT + BELOW);
        add("<rect width='100%%' height='100%%' fill='white'/>");
        add(
                "<text x='%d' y='20' font-size='14'>ns to acquire and release a slot, %d threads, 1 model</text>",
                LEFT, THREADS);
        double left = LEFT;
        for (Free free : Free.values()) {
            panel(left, free);
            left += PANEL + GAP;
        }
        legend();
        return add("</svg>").toString();
    }

    private void panel(double x, Free free) {
        String title = free.title() + " free";
        add("<text x='%.1f' y='%d' text-anchor='middle'>%s</text>", x + PANEL / 2.0, TOP - 8, title);
        add("<rect x='%.1f' y='%d' width='%d' height='%d' fill='none' stroke='#888'/>", x, TOP, PANEL, HEIGHT);
        for (double power = lowest; power <= highest; power++) {
            add("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='#ddd'/>", x, x + PANEL, y(power), y(power));
            if (x == LEFT) {
                add("<text x='%.1f' y='%.1f' text-anchor='end'>%,.0f</text>", x - 6, y(power) + 4, Math.pow(10, power));
            }
        }
        for (double power = Math.ceil(fewest); power <= most; power++) {
            double at = x(x, power);
            add("<line x1='%.1f' x2='%.1f' y1='%d' y2='%d' stroke='#ddd'/>", at, at, TOP, TOP + HEIGHT);
            add("<text x='%.1f' y='%d' text-anchor='middle'>%,.0f</text>", at, TOP + HEIGHT + 17, Math.pow(10, power));
        }
        add("<text x='%.1f' y='%d' text-anchor='middle'>workers</text>", x + PANEL / 2.0, TOP + HEIGHT + 36);
        for (Subject.Name subject : Subject.Name.values()) {
            line(x, subject, free);
        }
    }

    private void line(double left, Subject.Name subject, Free free) {
        List<Results.Slots> line = runs.stream()
                .filter(run -> run.subject() == subject && run.workload().free() == free)
                .toList();
        String points = line.stream()
                .map(run -> String.format(Locale.ROOT, "%.1f,%.1f", xOf(left, run), yOf(run)))
                .collect(Collectors.joining(" "));
        add("<polyline points='%s' fill='none' stroke='%s' stroke-width='2'/>", points, subject.colour());
        for (Results.Slots run : line) {
            add(
                    "<circle cx='%.1f' cy='%.1f' r='3.5' fill='%s'><title>%s, %,d workers: %,.1f ns</title></circle>",
                    xOf(left, run),
                    yOf(run),
                    subject.colour(),
                    subject.title(),
                    run.workload().workers(),
                    run.nanos());
        }
    }

    private void legend() {
        double y = TOP + HEIGHT + 70.0;
        double x = LEFT;
        for (Subject.Name subject : Subject.Name.values()) {
            add("<circle cx='%.1f' cy='%.1f' r='5' fill='%s'/>", x, y - 4, subject.colour());
            add("<text x='%.1f' y='%.1f'>%s</text>", x + 11, y, subject.title());
            x += (WIDTH - LEFT) / (double) Subject.Name.values().length;
        }
    }

    private double xOf(double left, Results.Slots run) {
        return x(left, Math.log10(run.workload().workers()));
    }

    private double yOf(Results.Slots run) {
        return y(Math.log10(run.nanos()));
    }

    /** With a margin on both sides. */
    private double x(double left, double power) {
        return left + 20 + (PANEL - 40) * (power - fewest) / (most - fewest);
    }

    private double y(double power) {
        return TOP + HEIGHT * (highest - power) / (highest - lowest);
    }

    @SuppressWarnings("AnnotateFormatMethod")
    private StringBuilder add(String format, Object... values) {
        return svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
