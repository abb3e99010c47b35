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
 * Safety checks of output files. An output file must be a regular file without other names, owned by this user or by
 * the owner of the directory. In a directory that other users may write to, any other file could be an attack: a link
 * redirects output to a file that would be appended to and truncated, and a FIFO blocks the thread that opens it.
 */
final class OutputFileChecks {

    private static final Pattern FILE_SYSTEM_UID = Pattern.compile("(?m)^Uid:(?:\\s+\\d+){3}\\s+(\\d+)");

    private OutputFileChecks() {}

    /** Checks a name. The result may be outdated immediately. */
    static void requireRegular(Path path) throws IOException {
        BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class, NOFOLLOW_LINKS);
        if (found.isSymbolicLink()) {
            throw new IOException("it is a symbolic link");
        }
        if (!found.isRegularFile()) {
            throw new IOException("it is not a regular file");
        }
    }

    /**
     * Checks an open file, which cannot be replaced any more. Linux only.
     *
     * @param directory the directory in which it was opened
     */
    static void requireSafe(Path descriptor, Path directory) throws IOException {
        if (!Files.readAttributes(descriptor, BasicFileAttributes.class).isRegularFile()) {
            throw new IOException("it is not a regular file");
        }
        if (((Number) Files.getAttribute(descriptor, "unix:nlink")).longValue() > 1) {
            throw new IOException("it has other names (hard links)");
        }
        Object owner = Files.getAttribute(descriptor, "unix:uid");
        if (!owner.equals(ownUid()) && !owner.equals(Files.getAttribute(directory, "unix:uid"))) {
            throw new IOException("it belongs to another user");
        }
    }

    /** The file system uid, which owns new files. Not the owner of /proc/self, which may be root for any process. */
    private static int ownUid() throws IOException {
        try (FileInputStream in = new FileInputStream("/proc/self/status")) {
            Matcher uid = FILE_SYSTEM_UID.matcher(new String(in.readAllBytes(), US_ASCII));
            if (!uid.find()) {
                throw new IOException("/proc/self/status has no Uid line");
            }
            return Integer.parseUnsignedInt(uid.group(1));
        }
    }
}
