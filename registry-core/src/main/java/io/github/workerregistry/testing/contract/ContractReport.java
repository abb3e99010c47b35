package io.github.workerregistry.testing.contract;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The results of the checks of a contract, by name, in order.
 *
 * @param passed the checks that passed
 * @param notApplicable the checks that were not applicable, with the reason
 * @param failed the checks that failed, with what was thrown
 * @since 0.1
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
     * The report as text: the counts, then a line for each check that failed or was not applicable.
     *
     * @return a few lines of text
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%d passed, %d failed, %d not applicable"
                .formatted(passed.size(), failed.size(), notApplicable.size()));
        failed.forEach((name, failure) ->
                text.append("\nfailed: ").append(name).append(": ").append(messageOf(failure)));
        notApplicable.forEach((name, reason) ->
                text.append("\nnot applicable: ").append(name).append(": ").append(reason));
        return text.toString();
    }

    /** Only the message of an AssertionError; of any other failure also the type. */
    private static String messageOf(Throwable failure) {
        String message = failure.getMessage();
        return failure.getClass() == AssertionError.class && message != null ? message : failure.toString();
    }
}
