package io.github.workerregistry.process;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The names of output files. Different worker ids give different names, also on a file system that takes {@code a} for
 * {@code A}, none leads out of its directory, and none is a device of Windows.
 *
 * <p>A plain id gives {@code <id>.log}. Of any other one a readable part is left, and {@code ~} and a hash of the whole
 * follow; no plain id has a {@code ~}.
 */
final class OutputFileName {

    /** Most file systems end at 255 bytes. */
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

    /** Over UTF-16 units: in UTF-8, all halves of a surrogate pair are the same. */
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
