package io.github.workerregistry.lifecycle;

import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A text with placeholders. <code>{name}</code> is substituted by a value; <code>{{name}}</code> and <code>{{name}
 * </code> are the text <code>{name}</code>. All other braces are literal.
 *
 * @param text the text before the substitution
 */
record Template(String text) {

    private static final String NAME = "[a-z][a-z0-9_]*";
    private static final Pattern WHOLE_NAME = Pattern.compile(NAME);

    /** Group 1 is an escaped placeholder with one pair of braces, group 2 the name of one to be substituted. */
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\{" + NAME + "})}?|\\{(" + NAME + ")}");

    /** Text that resembles a placeholder; neither a shell's <code>${NAME}</code> nor an escaped placeholder. */
    private static final Pattern LIKE_ONE = Pattern.compile("(?<![{$])\\{([A-Za-z][A-Za-z0-9_-]*)}");

    static boolean isName(String name) {
        return WHOLE_NAME.matcher(name).matches();
    }

    /** The names of the placeholders to be substituted. */
    Set<String> names() {
        return PLACEHOLDER
                .matcher(text)
                .results()
                .map(found -> found.group(2))
                .filter(Objects::nonNull)
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Names in braces that are not valid names of placeholders: {@code modelRef}, {@code PORT}. */
    Set<String> nearMisses() {
        return LIKE_ONE.matcher(text)
                .results()
                .map(found -> found.group(1))
                .filter(name -> !isName(name))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Substitutes all placeholders in one pass: a placeholder in a value is left as it is. */
    String substitute(Map<String, String> values) {
        return PLACEHOLDER.matcher(text).replaceAll(found -> Matcher.quoteReplacement(replacement(found, values)));
    }

    private static String replacement(MatchResult found, Map<String, String> values) {
        String escaped = found.group(1);
        return escaped != null ? escaped : values.getOrDefault(found.group(2), found.group());
    }
}
