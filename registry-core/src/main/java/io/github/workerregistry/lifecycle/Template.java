package io.github.workerregistry.lifecycle;

import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A text with placeholders. <code>{name}</code> stands for a value; <code>{{name}}</code> is the text <code>{name}
 * </code>, and so is <code>{{name}</code>. All other braces are themselves.
 *
 * @param text as it was written
 */
record Template(String text) {

    private static final String NAME = "[a-z][a-z0-9_]*";
    private static final Pattern WHOLE_NAME = Pattern.compile(NAME);

    /** Its first group is an escaped placeholder in its own braces, its second the name of one to be filled. */
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\{" + NAME + "})}?|\\{(" + NAME + ")}");

    /** What looks like a placeholder; not <code>${NAME}</code>, which is a shell's, nor what is escaped. */
    private static final Pattern LIKE_ONE = Pattern.compile("(?<![{$])\\{([A-Za-z][A-Za-z0-9_-]*)}");

    static boolean isName(String name) {
        return WHOLE_NAME.matcher(name).matches();
    }

    /** The placeholders that stand for a value. */
    Set<String> names() {
        return PLACEHOLDER
                .matcher(text)
                .results()
                .map(found -> found.group(2))
                .filter(Objects::nonNull)
                .collect(Collectors.toUnmodifiableSet());
    }

    /** What stands in braces as a placeholder does, but is not written as one: {@code modelRef}, {@code PORT}. */
    Set<String> nearMisses() {
        return LIKE_ONE.matcher(text)
                .results()
                .map(found -> found.group(1))
                .filter(name -> !isName(name))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Fills all placeholders in one pass: a value that looks like a placeholder stays as it is. */
    String fill(Map<String, String> values) {
        return PLACEHOLDER.matcher(text).replaceAll(found -> Matcher.quoteReplacement(replacement(found, values)));
    }

    private static String replacement(MatchResult found, Map<String, String> values) {
        String escaped = found.group(1);
        return escaped != null ? escaped : values.getOrDefault(found.group(2), found.group());
    }
}
