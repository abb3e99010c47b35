package io.github.workerregistry.lifecycle;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * Ids for workers whose spec has none: the short name of the model and a number that one supervisor gives once, such as
 * {@code tiny-1}. Small letters, digits, {@code -}, {@code _} and {@code .}, so that an id can be a file name, an
 * argument, a part of a url, in any locale.
 */
final class WorkerIds {

    private static final int LONGEST_STEM = 40;
    private static final Pattern BEFORE_LAST_SEGMENT = Pattern.compile("^.*[/\\\\](?=.)", Pattern.DOTALL);
    private static final Pattern FILE_TYPE = Pattern.compile("(?i)\\.(gguf|safetensors|onnx|bin)$");
    private static final Pattern ODD = Pattern.compile("[^A-Za-z0-9_.]+");
    private static final Pattern OUTER = Pattern.compile("^[^A-Za-z0-9]+|[^A-Za-z0-9]+$");

    private final AtomicLong last = new AtomicLong();

    String next(String modelRef) {
        return stem(modelRef) + "-" + last.incrementAndGet();
    }

    /**
     * {@code hf:TheBloke/TinyLlama-1.1B} gives {@code tinyllama-1.1b}, {@code /models/tiny.gguf} gives {@code tiny}.
     */
    static String stem(String modelRef) {
        String segment = BEFORE_LAST_SEGMENT.matcher(modelRef).replaceFirst("");
        String plain = ODD.matcher(FILE_TYPE.matcher(segment).replaceFirst(""))
                .replaceAll("-")
                .toLowerCase(Locale.ROOT);
        String trimmed = trim(plain);
        String stem = trimmed.length() > LONGEST_STEM ? trim(trimmed.substring(0, LONGEST_STEM)) : trimmed;
        return stem.isEmpty() ? "worker" : stem;
    }

    private static String trim(String text) {
        return OUTER.matcher(text).replaceAll("");
    }
}
