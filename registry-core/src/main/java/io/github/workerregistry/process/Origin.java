package io.github.workerregistry.process;

import static io.github.workerregistry.WorkerInfo.MAX_NAME_LENGTH;
import static java.util.stream.Collectors.joining;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where a worker's process comes from: what its {@link ProcessMark} says.
 *
 * <p>In the environment it reads {@code default/4711/88123/3f0c...-boot/4026531836/llama-1/5d1e...-uuid.7}. Names are
 * written with {@code %} and the four hexadecimal digits of each UTF-16 unit that is no plain letter, digit, {@code -},
 * {@code _} or {@code .}, so that any name comes through any locale as it was.
 *
 * @param hiveId the name of the hive
 * @param hive the process that the hive is
 * @param namespace the pid namespace in which that process has its pid, see {@link Proc#pidNamespace()}
 * @param workerId the worker that was started
 * @param start what no other start of a worker has
 */
record Origin(String hiveId, ProcessIdentity hive, String namespace, String workerId, String start) {

    private static final Pattern ODD = Pattern.compile("[^A-Za-z0-9_.-]");
    private static final Pattern ESCAPE = Pattern.compile("%([0-9a-f]{4})");

    /** A name of which every unit is escaped, each with five characters. */
    private static final int LONGEST_FIELD = 5 * MAX_NAME_LENGTH;

    /** A start by this JVM. */
    static Origin here(String hiveId, String workerId, String start) {
        return new Origin(hiveId, ProcessIdentity.of(ProcessHandle.current()), Proc.pidNamespace(), workerId, start);
    }

    ProcessMark mark() {
        return new ProcessMark(String.join(
                "/",
                escape(hiveId),
                Long.toString(hive.pid()),
                Long.toString(hive.startTime()),
                escape(hive.bootId()),
                namespace,
                escape(workerId),
                start));
    }

    /**
     * Empty unless the mark is, to the letter, one that {@link #mark()} gives. Anybody may write one, and what it says
     * goes into logs and reports: none of its texts is longer than a name may be.
     */
    static Optional<Origin> of(ProcessMark mark) {
        String[] fields = mark.value().split("/", -1);
        if (fields.length != 7 || Stream.of(fields).anyMatch(field -> field.length() > LONGEST_FIELD)) {
            return Optional.empty();
        }
        try {
            ProcessIdentity hive =
                    new ProcessIdentity(Long.parseLong(fields[1]), Long.parseLong(fields[2]), unescape(fields[3]));
            return Optional.of(new Origin(unescape(fields[0]), hive, fields[4], unescape(fields[5]), fields[6]))
                    .filter(Origin::isBounded)
                    .filter(origin -> origin.mark().equals(mark));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private boolean isBounded() {
        return Stream.of(hiveId, hive.bootId(), namespace, workerId, start)
                .allMatch(text -> text.length() <= MAX_NAME_LENGTH);
    }

    /**
     * Whether the hive is no longer there, for certain. What cannot be judged from here counts as alive: a hive whose
     * start time was not to be read, or one in another container, whose pid means somebody else here.
     */
    boolean isOrphaned() {
        return hive.startTime() > 0
                && !hive.bootId().isEmpty()
                && namespace.equals(Proc.pidNamespace())
                && hive.hasEnded();
    }

    private static String escape(String name) {
        return ODD.matcher(name)
                .replaceAll(odd -> odd.group()
                        .chars()
                        .mapToObj(unit -> String.format("%%%04x", unit))
                        .collect(joining()));
    }

    private static String unescape(String escaped) {
        return ESCAPE.matcher(escaped)
                .replaceAll(
                        unit -> Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(unit.group(1), 16))));
    }
}
