package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a worker's output may go into: a regular file that has no other name and belongs to this user, or to the owner
 * of the directory, who could put anything there. In a directory that others may write to, anything else could be a
 * trap: a link leads to a file that would be appended to and emptied, a FIFO blocks whoever opens it.
 */
final class OutputFileChecks {

    private static final Pattern FILE_SYSTEM_UID = Pattern.compile("(?m)^Uid:(?:\\s+\\d+){3}\\s+(\\d+)");

    private OutputFileChecks() {}

    /** What can be said of a name; it may lead to something else right after. */
    static void requireRegular(Path path) throws IOException {
        BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class, NOFOLLOW_LINKS);
        if (found.isSymbolicLink()) {
            throw new IOException("it is a symbolic link");
        }
        if (!found.isRegularFile()) {
            throw new IOException("it is no regular file");
        }
    }

    /**
     * What can be said of an open file, for good. On Linux.
     *
     * @param directory where it was opened
     */
    static void requireSafe(Path descriptor, Path directory) throws IOException {
        if (!Files.readAttributes(descriptor, BasicFileAttributes.class).isRegularFile()) {
            throw new IOException("it is no regular file");
        }
        if (((Number) Files.getAttribute(descriptor, "unix:nlink")).longValue() > 1) {
            throw new IOException("it has other names (hard links)");
        }
        Object owner = Files.getAttribute(descriptor, "unix:uid");
        if (!owner.equals(ownUid()) && !owner.equals(Files.getAttribute(directory, "unix:uid"))) {
            throw new IOException("it belongs to another user");
        }
    }

    /**
     * The one by which the kernel gives owners to files. Not the owner of /proc/self, which may be root for anybody.
     */
    private static int ownUid() throws IOException {
        try (FileInputStream in = new FileInputStream("/proc/self/status")) {
            Matcher uid = FILE_SYSTEM_UID.matcher(new String(in.readAllBytes(), US_ASCII));
            if (!uid.find()) {
                throw new IOException("/proc/self/status does not tell the user");
            }
            return Integer.parseUnsignedInt(uid.group(1));
        }
    }
}
