package io.github.workerregistry.process;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.github.workerregistry.internal.LogText;
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
 * Removes temporary directories of hives that were killed before they could do so. The name of a directory contains a
 * hash of the hive id and the identity of the hive's process.
 *
 * <p>Only directories owned by the user of this JVM are removed. In a world-writable directory another user can create
 * a directory or link of any name, also between two steps here. So a directory is opened without following links, and
 * the open directory, not its name, is checked and emptied.
 */
final class AbandonedDirectories {

    private static final Logger log = LoggerFactory.getLogger(AbandonedDirectories.class);

    private static final Pattern NAME = Pattern.compile("worker-registry-([0-9a-f]+)-(\\d*)-(\\d+)-(\\d+)-.*");

    private AbandonedDirectories() {}

    /** The name prefix of the directories of this JVM. */
    static String prefix(String hiveId) {
        ProcessIdentity self = ProcessIdentity.of(ProcessHandle.current());
        return "worker-registry-" + Integer.toHexString(hiveId.hashCode()) + "-" + Proc.pidNamespace() + "-"
                + self.pid() + "-" + Math.max(0, self.startTime()) + "-";
    }

    /** Removes the directories of dead hives of that id from a directory. */
    static void remove(Path parent, String hiveId) {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(parent, "worker-registry-*")) {
            if (!(found instanceof SecureDirectoryStream<Path> secure)) {
                log.debug("{} is not searched: no secure directory streams here", LogText.of(parent.toString()));
                return;
            }
            for (Path directory : secure) {
                if (belongsToDeadHive(directory.getFileName().toString(), hiveId)) {
                    removeIfOwned(secure, directory);
                }
            }
        } catch (IOException | DirectoryIteratorException | UnreadableException e) {
            log.debug("temporary directories in {} cannot be read", LogText.of(parent.toString()), LogText.of(e));
        }
    }

    private static boolean belongsToDeadHive(String directory, String hiveId) {
        Matcher name = NAME.matcher(directory);
        if (!name.matches()
                || !name.group(1).equals(Integer.toHexString(hiveId.hashCode()))
                || !name.group(2).equals(Proc.pidNamespace())) {
            return false;
        }
        try {
            return new ProcessIdentity(Long.parseLong(name.group(3)), Long.parseLong(name.group(4)), Proc.bootId())
                    .hasEnded();
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private static void removeIfOwned(SecureDirectoryStream<Path> parent, Path directory) {
        try (SecureDirectoryStream<Path> open = parent.newDirectoryStream(directory.getFileName(), NOFOLLOW_LINKS)) {
            UserPrincipal owner =
                    open.getFileAttributeView(FileOwnerAttributeView.class).getOwner();
            if (owner.equals(Files.getOwner(Path.of("/proc/self")))) {
                emptyAndDelete(parent, directory, open);
            }
        } catch (IOException | DirectoryIteratorException e) { // for example a link
            log.debug("{} cannot be removed", LogText.of(directory.toString()), LogText.of(e));
        }
    }

    /**
     * Empties the open, already checked directory, independent of its current name; then deletes the name if it denotes
     * an empty directory.
     */
    static void emptyAndDelete(SecureDirectoryStream<Path> parent, Path directory, SecureDirectoryStream<Path> open)
            throws IOException {
        for (Path file : open) {
            deleteFile(open, file);
        }
        parent.deleteDirectory(directory.getFileName());
        log.info("removed the temporary directory {} of a dead hive", LogText.of(directory.toString()));
    }

    private static void deleteFile(SecureDirectoryStream<Path> directory, Path file) {
        try {
            directory.deleteFile(file.getFileName());
        } catch (IOException e) { // a directory, not created here
            log.debug("{} cannot be removed", LogText.of(file.toString()), LogText.of(e));
        }
    }
}
