package io.github.workerregistry.process;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Derives the name of an output file from a worker id. Different ids have different names, also on a case-insensitive
 * file system; no name leaves its directory, and none is a Windows device.
 *
 * <p>A plain id has the name {@code <id>.log}. The name of any other id consists of a readable part, {@code ~} and a
 * hash of the id; a plain id contains no {@code ~}.
 */
final class OutputFileName {

    /** Most file systems limit names to 255 bytes. */
    private static final Pattern PLAIN = Pattern.compile("[a-z0-9_][a-z0-9_.-]{0,199}");

    private static final Pattern DEVICE =
            Pattern.compile("(con|prn|aux|nul|com[0-9]|lpt[0-9])(\\..*)?", Pattern.CASE_INSENSITIVE);

    private static final Pattern UNREADABLE = Pattern.compile("[^A-Za-z0-9_.-]|^[.-]");
    private static final int READABLE_LENGTH = 100;
    private static final int HASH_BYTES = 16;

    private OutputFileName() {}

    static String of(String workerId) {
        boolean device = DEVICE.matcher(workerId).matches();
        if (!device && PLAIN.matcher(workerId).matches()) {
            return workerId + ".log";
        }
        String readable = UNREADABLE.matcher(workerId).replaceAll("_");
        return (device ? "_" : "") + readable.substring(0, Math.min(READABLE_LENGTH, readable.length())) + "~"
                + hash(workerId) + ".log";
    }

    /** Hashes UTF-16 units, because UTF-8 encodes all unpaired surrogates as the same byte. */
    private static String hash(String workerId) {
        ByteBuffer units = ByteBuffer.allocate(workerId.length() * Character.BYTES);
        units.asCharBuffer().put(workerId);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(units.array());
            return HexFormat.of().formatHex(hash, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
