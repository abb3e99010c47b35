package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelStatus;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@ExpectWarnings("is not applied: ")
class ConfigWatchTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
            .processController(new FakeProcessController())
            .healthProbe(new ScriptedHealthProbe())
            .build();

    @TempDir
    private Path directory;

    private Path path;
    private WorkerPool pool;
    private ConfigWatch watch;

    @BeforeEach
    void start() throws IOException {
        path = directory.resolve("hive.yaml");
        write(path, "first");
        open(path);
    }

    private void open(Path config) throws IOException {
        HttpClient client = HttpClient.newHttpClient();
        ConfigFile file = new ConfigFile(
                new HiveConfig(new ModelConfig(
                        LifecycleConfig.builder().build(),
                        "http://127.0.0.1:8081/v1/workers",
                        at -> HttpHealthProbe.at(at, client),
                        at -> StopRequest.post(at, client))),
                config);
        pool = WorkerPool.builder(registry, supervisor).config(file.read()).build();
        watch = new ConfigWatch(new ConfigReload(file, pool));
    }

    @AfterEach
    void close() {
        pool.close();
        supervisor.closeNow();
    }

    private static void write(Path file, String model) throws IOException {
        Files.writeString(file, "models: {%s: {command: 'serve {port}'}}".formatted(model));
    }

    private List<String> models() {
        return pool.models().stream().map(ModelStatus::modelRef).toList();
    }

    private List<String> afterTwoLooks() {
        watch.look();
        watch.look();
        return models();
    }

    @Test
    void editIsAppliedWhenItHasSettled() throws IOException {
        watch.look();
        write(path, "second");
        watch.look();
        assertThat(models()).containsExactly("first");

        watch.look();

        assertThat(models()).containsExactly("second");
    }

    @Test
    void ofTwoEditsTheLastOneIsApplied() throws IOException {
        watch.look();
        write(path, "second");
        watch.look();
        write(path, "third");
        watch.look();
        assertThat(models()).as("not settled").containsExactly("first");

        assertThat(afterTwoLooks()).containsExactly("third");
    }

    @Test
    void renamedFileIsSeenAlsoWithTheTimeAndSizeOfTheOldOne() throws IOException {
        Path next = directory.resolve("next");
        write(next, "other");
        Files.setLastModifiedTime(next, Files.getLastModifiedTime(path));
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);

        assertThat(afterTwoLooks()).containsExactly("other");
    }

    /** As Kubernetes does with a ConfigMap: the file is a link into a directory that is itself a link. */
    @Test
    void swapOfALinkedDirectoryIsSeen() throws IOException {
        Path one = Files.createDirectory(directory.resolve("one"));
        Path two = Files.createDirectory(directory.resolve("two"));
        write(one.resolve("hive.yaml"), "in-one");
        write(two.resolve("hive.yaml"), "in-two");
        Path data = Files.createSymbolicLink(directory.resolve("data"), one);
        Path link = Files.createSymbolicLink(directory.resolve("link.yaml"), data.resolve("hive.yaml"));
        pool.close();
        open(link);

        Path swap = Files.createSymbolicLink(directory.resolve("swap"), two);
        Files.move(swap, data, StandardCopyOption.ATOMIC_MOVE);

        assertThat(afterTwoLooks()).containsExactly("in-two");
    }

    @Test
    void missingOrInvalidFileChangesNothingAndTheNextValidOneIsApplied() throws IOException {
        Files.delete(path);
        assertThat(afterTwoLooks()).containsExactly("first");
        Files.writeString(path, "models: {a: {}}");
        assertThat(afterTwoLooks()).containsExactly("first");

        write(path, "second");

        assertThat(afterTwoLooks()).containsExactly("second");
    }
}
