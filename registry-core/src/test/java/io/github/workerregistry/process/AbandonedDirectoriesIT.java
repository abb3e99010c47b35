package io.github.workerregistry.process;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class AbandonedDirectoriesIT {

    private static final String OWN = AbandonedDirectories.prefix("mine");

    /** No process has a pid that high. */
    private static final String DEAD = OWN.replace("-" + ProcessHandle.current().pid() + "-", "-99999999-");

    @TempDir
    Path parent;

    private Path make(String name) throws IOException {
        Path directory = Files.createDirectory(parent.resolve(name));
        Files.writeString(directory.resolve("1-w.log"), "output");
        return directory;
    }

    @Test
    void directoriesOfDeadHivesOfThisIdAreRemovedWithTheirFiles() throws IOException {
        Path left = make(DEAD + "123");

        AbandonedDirectories.remove(parent, "mine");

        assertThat(left).doesNotExist();
    }

    @Test
    void allOtherDirectoriesAreKept() throws IOException {
        Path living = make(OWN + "123");
        Path otherHive = make(DEAD.replaceFirst("registry-[0-9a-f]+", "registry-abcdef") + "123");
        Path otherNamespace = make(DEAD.replaceFirst("-" + Proc.pidNamespace() + "-", "-1-") + "123");
        Path otherName = make("worker-registry-123456");
        Path target = make("target");
        Path link = Files.createSymbolicLink(parent.resolve(DEAD + "link"), target);

        AbandonedDirectories.remove(parent, "mine");

        assertThat(parent)
                .isDirectoryContaining(living::equals)
                .isDirectoryContaining(otherHive::equals)
                .isDirectoryContaining(otherNamespace::equals)
                .isDirectoryContaining(otherName::equals)
                .isDirectoryContaining(link::equals);
        assertThat(target.resolve("1-w.log")).exists();
    }

    @Test
    void missingParentDirectoryIsIgnored() {
        AbandonedDirectories.remove(parent.resolve("missing"), "mine");
    }

    /** Regression: it was checked and then opened by its name, which could be replaced by a link in between. */
    @Test
    void linkThatReplacesADirectoryAfterTheCheckIsNotFollowed() throws IOException {
        Path left = make(DEAD + "123");
        Path target = make("target");
        Path aside = parent.resolve("aside");
        try (SecureDirectoryStream<Path> parents = open(parent);
                SecureDirectoryStream<Path> checked = parents.newDirectoryStream(left.getFileName(), NOFOLLOW_LINKS)) {
            Files.move(left, aside);
            Files.createSymbolicLink(left, target);

            assertThatThrownBy(() -> AbandonedDirectories.emptyAndDelete(parents, left, checked))
                    .isInstanceOf(IOException.class);
        }

        assertThat(target.resolve("1-w.log")).hasContent("output");
        assertThat(left).isSymbolicLink();
        assertThat(aside).isEmptyDirectory();
    }

    /** A directory with unexpected content does not prevent the removal of the others. */
    @Test
    void directoryThatCannotBeRemovedDoesNotBlockTheOthers() throws IOException {
        List<Path> irregular = List.of(make(DEAD + "1"), make(DEAD + "3"));
        for (Path each : irregular) {
            Files.createDirectory(each.resolve("not ours"));
        }
        Path left = make(DEAD + "2");

        AbandonedDirectories.remove(parent, "mine");

        assertThat(irregular)
                .allSatisfy(each -> assertThat(each)
                        .isDirectoryContaining(each.resolve("not ours")::equals)
                        .isDirectoryNotContaining("glob:**.log"));
        assertThat(left).doesNotExist();
    }

    @Test
    void targetOfALinkInAnAbandonedDirectoryIsKept() throws IOException {
        Path left = make(DEAD + "123");
        Path target = make("target");
        Files.createSymbolicLink(left.resolve("file"), target.resolve("1-w.log"));
        Files.createSymbolicLink(left.resolve("directory"), target);

        AbandonedDirectories.remove(parent, "mine");

        assertThat(left).doesNotExist();
        assertThat(target.resolve("1-w.log")).hasContent("output");
    }

    @SuppressWarnings("StreamResourceLeak") // the caller closes it
    private static SecureDirectoryStream<Path> open(Path directory) throws IOException {
        return (SecureDirectoryStream<Path>) Files.newDirectoryStream(directory);
    }
}
