package io.github.workerregistry.process;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.github.workerregistry.LogText;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The temporary directories that hives made and could not remove because they were killed. The name of each says whose
 * it is: a hash of the hive id, and the hive's process.
 *
 * <p>Removed are only directories of this JVM's own user: in a directory that all may write to, anybody may make one of
 * any name, or a link of that name to somewhere else, also between two steps here. So a directory is opened, without
 * following a link, and what is open is checked and emptied, never a name.
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
            if (!(found instanceof SecureDirectoryStream<Path> secure)) {
                log.debug(
                        "{} is not searched: this system cannot hold on to a directory", LogText.of(parent.toString()));
                return;
            }
            for (Path directory : secure) {
                if (isOfADeadHive(directory.getFileName().toString(), hiveId)) {
                    removeIfOurs(secure, directory);
                }
            }
        } catch (IOException | DirectoryIteratorException | UnreadableException e) {
            log.debug("temporary directories in {} cannot be looked at", LogText.of(parent.toString()), LogText.of(e));
        }
    }

    private static boolean isOfADeadHive(String directory, String hiveId) {
        Matcher name = NAME.matcher(directory);
        if (!name.matches()
                || !name.group(1).equals(Integer.toHexString(hiveId.hashCode()))
                || !name.group(2).equals(Proc.pidNamespace())) {
            return false;
        }
        try {
            return new ProcessIdentity(Long.parseLong(name.group(3)), Long.parseLong(name.group(4)), Proc.bootId())
                    .hasEnded();
        } catch (IllegalArgumentException notANumberOfOurs) {
            return false;
        }
    }

    private static void removeIfOurs(SecureDirectoryStream<Path> parent, Path directory) {
        try (SecureDirectoryStream<Path> open = parent.newDirectoryStream(directory.getFileName(), NOFOLLOW_LINKS)) {
            UserPrincipal owner =
                    open.getFileAttributeView(FileOwnerAttributeView.class).getOwner();
            if (owner.equals(Files.getOwner(Path.of("/proc/self")))) {
                removeWhole(parent, directory, open);
            }
        } catch (IOException | DirectoryIteratorException e) { // a link, for one
            log.debug("{} cannot be removed", LogText.of(directory.toString()), LogText.of(e));
        }
    }

    /**
     * Empties the directory that is open and was checked, whatever its name leads to by now; then its name goes, if
     * that is one of an empty directory.
     */
    static void removeWhole(SecureDirectoryStream<Path> parent, Path directory, SecureDirectoryStream<Path> open)
            throws IOException {
        for (Path file : open) {
            deleteFile(open, file);
        }
        parent.deleteDirectory(directory.getFileName());
        log.info("removed the temporary directory {} of a hive that has died", LogText.of(directory.toString()));
    }

    private static void deleteFile(SecureDirectoryStream<Path> directory, Path file) {
        try {
            directory.deleteFile(file.getFileName());
        } catch (IOException e) { // a directory, which is none of ours
            log.debug("{} cannot be removed", LogText.of(file.toString()), LogText.of(e));
        }
    }
}
