package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Workers share the searches of the machine, which run on other threads than the caller's as long as these run. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class SharedSearchIT {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int WORKERS = 40;

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Map<Long, ProcessMark> marks = new HashMap<>();
    private final AtomicInteger reads = new AtomicInteger();
    private final SharedSearch search = new SharedSearch(
            new ProcessCache(pid -> {
                reads.incrementAndGet();
                return ProcessMark.observe(pid);
            }),
            tasks::add);

    /** They exit during a search. The first one that is noticed would have a search of its own otherwise. */
    @Test
    void workersThatExitAtOnceShareASearch() {
        CompletableFuture<Process> notice = new CompletableFuture<>();
        List<Process> roots =
                Stream.generate(() -> start("sleep", "600")).limit(WORKERS).toList();
        List<WorkerProcess> workers = roots.stream()
                .map(root -> watch(new ProcessWithoutNotice(root) {
                    @Override
                    public CompletableFuture<Process> onExit() {
                        return notice;
                    }
                }))
                .toList();
        roots.forEach(root -> root.toHandle().destroyForcibly());
        await().atMost(PATIENCE).until(() -> roots.stream().noneMatch(Process::isAlive));

        search.await(new Recorded("first", new ArrayList<>()) {
            @Override
            public TreeMembers begin() {
                notice.complete(roots.get(0));
                return super.begin();
            }
        });
        search.run();
        runTasks();

        assertThat(search.count()).isEqualTo(2);
        assertThat(workers).allSatisfy(worker -> assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(137)));
    }

    /** Each process is read once, and then again only if it may have changed. */
    @Test
    void unrelatedProcessesAreNotReadBySearchAfterSearch() {
        int strangers = 30;
        List<ProcessHandle> unused = Stream.generate(() -> processes.start("sleep", "600"))
                .limit(strangers)
                .toList();

        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> {
            int before = reads.get();
            search.await(new Recorded("unused", new ArrayList<>()));
            processes.start("true"); // the current time is known from the youngest process
            return reads.get() - before < strangers;
        });
    }

    @Test
    void requestDuringASearchIsAnsweredByTheNextOne() {
        List<String> calls = new ArrayList<>();
        Recorded second = new Recorded("second", calls);
        search.request(new Recorded("first", calls) {
            @Override
            public TreeMembers begin() {
                search.request(second);
                return super.begin();
            }
        });

        search.run();

        assertThat(calls).containsExactly("first begins", "first ends", "second begins", "second ends");
        assertThat(search.count()).isEqualTo(2);
    }

    @Test
    void participantWhoseTreeCannotBeReadDoesNotKeepTheOthersWithoutAnAnswer() {
        List<String> calls = new ArrayList<>();
        search.request(new Recorded("broken", calls) {
            @Override
            public TreeMembers begin() {
                throw new UnreadableException("the tree", null);
            }
        });
        Recorded other = new Recorded("other", calls);
        search.request(other);

        search.run();

        assertThat(calls).contains("other ends");
        assertThat(search.await(other)).isEqualTo(TreeSearch.Result.COMPLETE);
    }

    @Test
    void participantThatFailsDoesNotKeepTheOthersWithoutAnAnswer() {
        List<String> calls = new ArrayList<>();
        search.request(new Recorded("begin fails", calls) {
            @Override
            public TreeMembers begin() {
                throw new AssertionError("begin");
            }
        });
        search.request(new Recorded("end fails", calls) {
            @Override
            public void end(TreeMembers members, TreeSearch.Result result) {
                throw new AssertionError("end");
            }
        });
        search.request(new Recorded("other", calls));

        search.run();

        assertThat(calls).contains("begin fails ends", "other ends");
    }

    /** What is called after an exit may wait for another one. */
    @Test
    void searchRunsWhileAParticipantUsesItsAnswer() {
        List<String> calls = new ArrayList<>();
        search.request(new Recorded("first", calls) {
            @Override
            public void answered() {
                search.request(new Recorded("second", calls));
                search.run();
            }
        });

        search.run();

        assertThat(calls).containsExactly("first begins", "first ends", "second begins", "second ends");
    }

    /** As an exit that cannot be reported on a thread of its own. */
    @Test
    void callBackOfAnExitMayWaitForAnotherExitWithoutThreads() {
        SharedSearch rejected = new SharedSearch(new ProcessCache(), task -> {
            throw new RejectedExecutionException();
        });
        WorkerProcess first = watch(new ProcessWithoutNotice(start("sleep", "600")), rejected);
        WorkerProcess second = watch(new ProcessWithoutNotice(start("sleep", "600")), rejected);
        AtomicBoolean seen = new AtomicBoolean();
        CompletableFuture<Void> called = first.onExit()
                .thenRun(() -> {
                    handleOf(second).destroyForcibly();
                    await().atMost(PATIENCE).until(() -> second.exitStatus().isPresent());
                    seen.set(true);
                })
                .toCompletableFuture();

        handleOf(first).destroyForcibly();
        await().atMost(PATIENCE).until(() -> first.exitStatus().isPresent());

        assertThat(called).isCompleted();
        assertThat(seen).isTrue();
    }

    /** It left the session of its parent, so only a search finds it. */
    @Test
    void pollSearchesAfterSigtermIfTheThreadsForItAreBlocked(@TempDir Path directory) {
        Path pid = directory.resolve("pid");
        WorkerProcess worker = watch(
                "sh",
                "-c",
                "trap : TERM; (setsid sh -c 'echo $$ > " + pid + "; exec sleep 600' &);"
                        + " while :; do sleep 0.05; done");
        ProcessHandle detached = handleIn(pid);

        worker.terminate();

        await().atMost(PATIENCE).until(() -> {
            assertThat(worker.exitStatus()).isEmpty();
            return !RealProcesses.runs(detached);
        });
        worker.kill();
        await().atMost(PATIENCE).until(() -> worker.exitStatus().isPresent());
    }

    /** Regression: a process that {@code usage} had found counted as signalled. */
    @Test
    void usageDoesNotKeepAProcessFromBeingTerminated(@TempDir Path directory) throws IOException {
        Path parent = directory.resolve("parent");
        Path late = directory.resolve("late");
        Path go = directory.resolve("go");
        WorkerProcess worker = watch(
                "sh",
                "-c",
                "sh -c 'trap : TERM; echo $$ > " + parent + "; while [ ! -e " + go + " ]; do sleep 0.05; done;"
                        + " sleep 600 & echo $! > " + late + "; wait' & wait");
        ProcessHandle draining = handleIn(parent);
        worker.terminate();
        await().atMost(PATIENCE).until(() -> {
            assertThat(worker.exitStatus()).isEmpty();
            return !isKnownToJdk(worker);
        });
        search.run();
        Files.createFile(go);
        ProcessHandle unused = handleIn(late);

        assertThat(worker.usage()).isPresent();
        draining.destroyForcibly();

        await().atMost(PATIENCE).until(() -> worker.exitStatus().isPresent());
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
        assertThat(RealProcesses.runs(unused)).isFalse();
    }

    private ProcessHandle handleIn(Path file) {
        await().atMost(PATIENCE)
                .until(() -> Files.exists(file) && Files.readString(file).endsWith("\n"));
        try {
            return processes.watch(
                    ProcessHandle.of(Long.parseLong(Files.readString(file).strip()))
                            .orElseThrow());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** The executor runs nothing: as a common pool whose threads are all blocked. */
    @Test
    void pollDetectsTheExitIfTheThreadsForItAreBlocked() {
        WorkerProcess worker = watch("sh", "-c", "sleep 600 & wait");
        handleOf(worker).destroyForcibly();

        await().atMost(PATIENCE).until(() -> worker.exitStatus().isPresent());

        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    @Test
    void pollSendsSigtermIfTheThreadsForItAreBlocked() {
        WorkerProcess worker = watch("sleep", "600");

        worker.terminate();

        assertThat(handleOf(worker).isAlive()).isTrue();
        await().atMost(PATIENCE).until(() -> worker.exitStatus().isPresent());
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    /** Regression: the exit was not requested, and the rest of the tree was killed. */
    @Test
    void rootThatExitsBeforeItsSigtermIsSentWasTerminated(@TempDir Path directory) throws IOException {
        Path ready = directory.resolve("ready");
        Path go = directory.resolve("go");
        Path drained = directory.resolve("drained");
        WorkerProcess worker = watch(
                "sh",
                "-c",
                "sh -c 'trap \"echo > " + drained + "; exit\" TERM; echo $$ > " + ready
                        + "; while :; do sleep 0.05; done' & while [ ! -e " + go + " ]; do sleep 0.05; done");
        ProcessHandle unused = handleIn(ready);

        worker.terminate();
        Files.createFile(go);
        await().atMost(PATIENCE).until(() -> !isKnownToJdk(worker));

        await().atMost(PATIENCE).until(() -> worker.exitStatus().isPresent());
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(0));
        assertThat(drained).exists();
    }

    /** It is not polled, and no other thread runs. */
    @Test
    void killHasSignalledRootAndDescendantsWhenItReturns() {
        WorkerProcess worker = watch("sh", "-c", "env -i sh -c 'sleep 600; :' & wait");
        ProcessHandle root = handleOf(worker);
        await().atMost(PATIENCE).until(() -> root.descendants().count() == 2);
        List<ProcessHandle> descendants =
                root.descendants().map(processes::watch).toList();

        worker.kill();

        await().atMost(PATIENCE)
                .until(() -> !RealProcesses.runs(root) && descendants.stream().noneMatch(RealProcesses::runs));
        assertThat(search.count()).isZero();
    }

    /** Its port may belong to another process by now. */
    @Test
    void ownerOfAListenerIsUnknownBetweenAnExitAndItsReport() throws IOException {
        WorkerProcess worker = watch("sleep", "600");
        handleOf(worker).destroyForcibly();
        await().atMost(PATIENCE).until(() -> !isKnownToJdk(worker));

        try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            InetSocketAddress address = new InetSocketAddress(other.getInetAddress(), other.getLocalPort());
            assertThatThrownBy(() -> worker.ownsListener(address)).isInstanceOf(UnreadableException.class);
        }
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private WorkerProcess watch(String... command) {
        return watch(new ProcessWithoutNotice(start(command)));
    }

    private WorkerProcess watch(Process root) {
        return watch(root, search);
    }

    private WorkerProcess watch(Process root, SharedSearch search) {
        ProcessMark mark = marks.get(root.pid());
        return LocalProcess.watch(
                "w", root, mark, new ProcessTree(mark), search, new UnrecordedOutput(Redirect.DISCARD));
    }

    private Process start(String... command) {
        ProcessMark mark = new ProcessMark(UUID.randomUUID().toString());
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD);
        mark.putInto(builder.environment());
        try {
            Process root = builder.start();
            processes.watch(root.toHandle());
            marks.put(root.pid(), mark);
            return root;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static ProcessHandle handleOf(WorkerProcess worker) {
        return ProcessHandle.of(worker.identity().pid()).orElseThrow();
    }

    private static boolean isKnownToJdk(WorkerProcess worker) {
        return ProcessHandle.of(worker.identity().pid()).isPresent();
    }

    private static class Recorded implements SharedSearch.Participant {
        private final String name;
        private final List<String> calls;

        Recorded(String name, List<String> calls) {
            this.name = name;
            this.calls = calls;
        }

        @Override
        public ProcessMark mark() {
            return new ProcessMark(name);
        }

        @Override
        public TreeMembers begin() {
            calls.add(name + " begins");
            return new TreeMembers(Map.of(), Set.of());
        }

        @Override
        public void end(TreeMembers members, TreeSearch.Result result) {
            calls.add(name + " ends");
        }
    }
}
