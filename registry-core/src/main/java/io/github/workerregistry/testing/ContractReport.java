package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of the checks of a contract, by their names, in their order.
 *
 * @param passed the promises that are kept
 * @param notApplicable those that could not be put to the test, and why not
 * @param failed those that are broken, and what was thrown
 */
public record ContractReport(List<String> passed, Map<String, String> notApplicable, Map<String, Throwable> failed) {

    /**
     * Copies the collections.
     *
     * @throws NullPointerException if one of them is null; the message names it
     */
    public ContractReport {
        passed = List.copyOf(requireNonNull(passed, "passed"));
        notApplicable =
                Collections.unmodifiableMap(new LinkedHashMap<>(requireNonNull(notApplicable, "notApplicable")));
        failed = Collections.unmodifiableMap(new LinkedHashMap<>(requireNonNull(failed, "failed")));
    }

    /**
     * The report in words: the counts, then a line for each check that failed or was not applicable.
     *
     * @return a few lines of text
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%d passed, %d failed, %d not applicable"
                .formatted(passed.size(), failed.size(), notApplicable.size()));
        failed.forEach((name, failure) ->
                text.append("\nfailed: ").append(name).append(": ").append(words(failure)));
        notApplicable.forEach((name, reason) ->
                text.append("\nnot applicable: ").append(name).append(": ").append(reason));
        return text.toString();
    }

    /** Our own failures speak for themselves; those of others are told by their type as well. */
    private static String words(Throwable failure) {
        String message = failure.getMessage();
        return failure.getClass() == AssertionError.class && message != null ? message : failure.toString();
    }
}
