package io.github.workerregistry.process;

import static io.github.workerregistry.internal.Checks.MAX_NAME_LENGTH;
import static java.util.stream.Collectors.joining;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The origin of a worker's process: the parsed content of its {@link ProcessMark}.
 *
 * <p>In the environment it has the form {@code default/4711/88123/3f0c...-boot/4026531836/llama-1/5d1e...-uuid.7}.
 * Names are written with {@code %} and the four hexadecimal digits of each UTF-16 unit that is not an ASCII letter,
 * digit, {@code -}, {@code _} or {@code .}, so that every name is preserved in every locale.
 *
 * @param hiveId the id of the hive
 * @param hive the process of the hive
 * @param namespace the pid namespace of that process, see {@link Proc#pidNamespace()}
 * @param workerId the worker that was started
 * @param start an id that is unique for each start
 */
record Origin(String hiveId, ProcessIdentity hive, String namespace, String workerId, String start) {

    private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9_.-]");
    private static final Pattern ESCAPE = Pattern.compile("%([0-9a-f]{4})");

    /** Every unit of a name escaped, with five characters each. */
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
     * Parses a mark. Empty unless it is exactly in the form of {@link #mark()}. Any process can set a mark, and its
     * content goes into logs and reports, so the length of each field is limited to that of a name.
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
     * Whether the hive has exited for certain. A hive counts as alive if its start time could not be read, or if it is
     * in another pid namespace (container), where its pid has another meaning.
     */
    boolean isOrphaned() {
        return hive.startTime() > 0
                && !hive.bootId().isEmpty()
                && namespace.equals(Proc.pidNamespace())
                && hive.hasEnded();
    }

    private static String escape(String name) {
        return UNSAFE.matcher(name)
                .replaceAll(unsafe -> unsafe.group()
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
