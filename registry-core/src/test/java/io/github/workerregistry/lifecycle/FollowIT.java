package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.ProcessUsage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Following the output of real processes, and their usage. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
@Timeout(180)
class FollowIT {

    /** Waits for a step of the test: a file beside the flag file. */
    private static final String WAIT = "wait_for() { while [ ! -e $FLAG.$1 ]; do sleep 0.01; done; };";

    @RegisterExtension
    final RealHive hive = new RealHive();

    private final ExecutorService listeners = Executors.newSingleThreadExecutor();
    private final List<Subscription> following = new ArrayList<>();
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void endListeners() {
        following.forEach(Subscription::close);
        listeners.shutdownNow();
    }

    private void follow(WorkerSupervisor supervisor, WorkerInfo worker, OutputListener listener) {
        following.add(supervisor.follow(worker.id(), listener, listeners));
    }

    private void go(WorkerInfo worker, String step) throws IOException {
        Files.createFile(Path.of(hive.flag(worker.id()) + "." + step));
    }

    private void awaitHeard(String... lines) {
        eventually().untilAsserted(() -> assertThat(heard).containsExactly(lines));
    }

    @Test
    void theLastOutputOfAProcessThatExitsAtOnceArrivesAndTheNextOneIsFollowed() throws IOException {
        WorkerSupervisor supervisor = hive.supervise(RealHive.restarts(Duration.ofMillis(50), 1));
        UnexpectedWarnings.allow("has ended");
        WorkerInfo worker = hive.spawn(
                supervisor,
                WAIT + " wait_for go; if [ $WORKER_GENERATION = 1 ]; then echo first; printf 'no end'; exit 1; fi;"
                        + " echo second; exit 2");
        OutputListener listener = new OutputListener() {
            @Override
            public void onLine(String line) {
                heard.add(line);
            }

            @Override
            public void onEnd() {
                heard.add("end");
            }
        };

        follow(supervisor, worker, listener);
        go(worker, "go");

        awaitHeard("first", "no end", "second", "end");
        assertThat(hive.isRemoved(worker)).isTrue();
    }

    @Test
    void outputIsFollowedOverBothKindsOfRotation(@TempDir Path logs) throws IOException {
        WorkerSupervisor supervisor = hive.supervise(builder -> builder.processController(
                LocalProcessController.builder().outputDirectory(logs).build()));
        WorkerInfo worker = hive.spawn(
                supervisor,
                WAIT + " wait_for 0; echo the first line; for i in 1 2 3 4; do wait_for $i; echo line $i; done;"
                        + " exec sleep 1000");
        Path log = logs.resolve(worker.id() + ".log");
        follow(supervisor, worker, heard::add);
        go(worker, "0");
        awaitHeard("the first line");

        Files.copy(log, logs.resolve("copy"));
        Files.write(log, new byte[0]);
        go(worker, "1");
        awaitHeard("the first line", "line 1");

        Files.move(log, logs.resolve("moved"));
        go(worker, "2");
        go(worker, "3");
        awaitHeard("the first line", "line 1", "line 2", "line 3");

        Files.delete(logs.resolve("moved"));
        go(worker, "4");
        awaitHeard("the first line", "line 1", "line 2", "line 3", "line 4");
    }

    /** Nothing is compared with an absolute time: the machine may be busy. */
    @Test
    void aListenerThatBlocksSlowsNoWorkerAndMemoryIsBounded() throws IOException {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        String line = "all work and no play makes jack a dull boy, again and again and again and again and again and";
        String script = WAIT + " wait_for go; begun=$(date +%s%N); yes '" + line + "' | head -c 1000000000;"
                + " echo $(( ($(date +%s%N) - begun) / 1000000 )) > $FLAG; wait_for end";
        long unfollowed = millisOf(hive.spawn(supervisor, script));

        WorkerInfo worker = hive.spawn(supervisor, script);
        CountDownLatch blocked = new CountDownLatch(1);
        List<Long> dropped = new CopyOnWriteArrayList<>();
        OutputListener listener = new OutputListener() {
            @Override
            public void onLine(String line) {
                if (heard.isEmpty()) {
                    awaitUninterruptibly(blocked);
                }
                heard.add(line);
            }

            @Override
            public void onDropped(long lines) {
                dropped.add(lines);
            }
        };
        long before = usedHeap();
        follow(supervisor, worker, listener);
        long followed = millisOf(worker);
        long after = usedHeap();
        blocked.countDown();
        go(worker, "end");

        assertThat(followed).isLessThan(1_000 + 3 * unfollowed);
        assertThat(after - before).isLessThan(64_000_000);
        double all = 1_000_000_000.0 / (line.length() + 1);
        eventually().until(() -> heard.size() > 5_000 && sumOf(dropped) + heard.size() > 0.9 * all);
        assertThat(sumOf(dropped) + heard.size()).isLessThan((long) (1.1 * all));
        assertThat(new HashSet<>(heard)).hasSizeLessThan(100).contains(line); // rests of lines after a gap
    }

    private static long sumOf(List<Long> numbers) {
        return numbers.stream().mapToLong(Long::longValue).sum();
    }

    private long millisOf(WorkerInfo writer) throws IOException {
        go(writer, "go");
        return Long.parseLong(hive.awaitFlag(writer));
    }

    private static long usedHeap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void usageIsThatOfTheWholeTree() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker = hive.spawn(
                supervisor,
                "(sleep 1000 & exec sleep 1000) & i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo x > $FLAG; wait");
        hive.awaitFlag(worker);

        eventually().until(() -> processesOf(supervisor, worker) == 3);
        ProcessUsage usage = supervisor.usage(worker.id()).orElseThrow();

        assertThat(usage.threads()).isEqualTo(3);
        assertThat(usage.residentBytes()).isBetween(3L * 100_000, 3L * 50_000_000);
        assertThat(usage.cpuTime()).isBetween(Duration.ofMillis(10), Duration.ofMinutes(1));
        supervisor.forceKill(worker.id());
        hive.awaitRemoved(worker);
        assertThat(supervisor.usage(worker.id())).isEmpty();
    }

    private static int processesOf(WorkerSupervisor supervisor, WorkerInfo worker) {
        Optional<ProcessUsage> usage = supervisor.usage(worker.id());
        return usage.map(ProcessUsage::processes).orElse(0);
    }
}
