package io.github.workerregistry.process;

import io.github.workerregistry.LogText;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The temporary directories that hives made and could not remove because they were killed. The name of each says whose
 * it is: a hash of the hive id, and the hive's process.
 *
 * <p>Removed are only directories of this JVM's own user: in a directory that all may write to, anybody may make one of
 * any name, or a link of that name to somewhere else.
 */
final class AbandonedDirectories {

    private static final Logger log = LoggerFactory.getLogger(AbandonedDirectories.class);

    private static final Pattern NAME = Pattern.compile("worker-registry-([0-9a-f]+)-(\\d*)-(\\d+)-(\\d+)-.*");

    private AbandonedDirectories() {}

    /** How the name of a directory of this JVM begins. */
    static String prefix(String hiveId) {
        ProcessIdentity self = ProcessIdentity.of(ProcessHandle.current());
        return "worker-registry-" + Integer.toHexString(hiveId.hashCode()) + "-" + Proc.pidNamespace() + "-"
                + self.pid() + "-" + Math.max(0, self.startTime()) + "-";
    }

    /** Removes what dead hives of that id left in a directory. */
    static void remove(Path parent, String hiveId) {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(parent, "worker-registry-*")) {
            for (Path directory : found) {
                if (isAbandoned(directory, hiveId)) {
                    removeWhole(directory);
                }
            }
        } catch (IOException e) {
            log.debug("temporary directories in {} cannot be looked at", LogText.of(parent.toString()), LogText.of(e));
        }
    }

    private static boolean isAbandoned(Path directory, String hiveId) throws IOException {
        Matcher name = NAME.matcher(directory.getFileName().toString());
        if (!name.matches()
                || !name.group(1).equals(Integer.toHexString(hiveId.hashCode()))
                || !name.group(2).equals(Proc.pidNamespace())
                || !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                || !Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS)
                        .equals(Files.getOwner(Path.of("/proc/self")))) {
            return false;
        }
        try {
            return new ProcessIdentity(Long.parseLong(name.group(3)), Long.parseLong(name.group(4)), Proc.bootId())
                    .hasEnded();
        } catch (IllegalArgumentException notANumberOfOurs) {
            return false;
        }
    }

    private static void removeWhole(Path directory) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            files.forEach(file -> OutputFile.delete(file));
        }
        OutputFile.delete(directory);
        log.info("removed the temporary directory {} of a hive that has died", LogText.of(directory.toString()));
    }
}
