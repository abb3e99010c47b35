package io.github.workerregistry.process;

import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogText;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts workers as processes of this machine, with the privileges of this JVM.
 *
 * <pre>{@code
 * ProcessController processes = LocalProcessController.builder()
 *         .outputDirectory(Path.of("/var/log/my-hive"))
 *         .build();
 * }</pre>
 *
 * <p>Behaviour:
 *
 * <ul>
 *   <li>stdout and stderr go to one file of bounded size (or are discarded, or go to those of this JVM), never to a
 *       pipe: a pipe that is not read blocks the worker, and a grandchild that holds it open hides the exit of its
 *       parent from the JDK. stdin is empty.
 *   <li>That file is kept open from the start of a process until its {@link WorkerProcess#release}, which takes one
 *       file descriptor of this JVM per worker. If it is deleted, renamed or rotated meanwhile, its output is still
 *       counted and bounded, and its last lines are available after the exit; a new file of the same name is neither
 *       read nor truncated. The next process opens the name again.
 *   <li>Signals go to the whole tree: to the root and its descendants first, then to the others that a search finds,
 *       also after the root has exited. On Linux every child has a mark in its environment
 *       ({@code WORKER_REGISTRY_MARK}) that its descendants inherit, so they are found even if they are re-parented.
 *       Elsewhere only descendants with a live parent are found.
 *   <li>SIGTERM is not sent to processes that the worker starts afterwards, to clean up for example, while its root
 *       runs. Once the root has exited, the rest of its tree is ended.
 *   <li>A worker runs in its own session if {@code setsid} (util-linux, busybox, toybox) is installed, which is
 *       prepended to its command: a signal to the process group of this JVM does not reach it.
 *   <li>The mark also names the hive and the worker. An {@link OrphanReaper} kills the processes of a dead hive when
 *       the hive starts again; a supervisor calls it before it starts a worker.
 *   <li>A process is identified by pid and start time; a process that reuses the pid is never signalled.
 *   <li>Signals are sent through {@link ProcessHandle}. {@link Process#destroy()} also closes the streams, which would
 *       break the graceful exit of a worker.
 * </ul>
 *
 * <p>{@code kill} has sent its signal when it returns; {@code terminate} has it sent on another thread. A search
 * follows each signal and each exit, but none runs while a worker just runs. It lists the processes of the machine, and
 * reads those that it does not remember from an earlier search. Only one runs at a time, for all workers of this JVM
 * that wait for one, so many exits at once cost little more than one. It runs on the thread on which the JDK reports an
 * exit, or on the default executor of {@link java.util.concurrent.CompletableFuture} (the common pool); if these are
 * blocked, in {@link WorkerProcess#exitStatus()}.
 *
 * <p>A read or signal that fails temporarily (for example, no free file descriptor) is retried by the next call; no
 * worker and no orphan counts as exited because of it.
 *
 * <p>Starts no threads; the JDK has one small thread for each child. Thread-safe.
 *
 * <p>Running a hive:
 *
 * <ul>
 *   <li><b>Ctrl-C</b> and closing the terminal end only the hive. It stops its workers gracefully if it has a
 *       {@linkplain io.github.workerregistry.lifecycle.WorkerSupervisor.Builder#shutdownHook shutdown hook}. Without
 *       one they keep running until a hive of the same id starts again.
 *   <li><b>systemd</b> sends SIGTERM to all processes of a unit, including workers, which aborts their requests. Set
 *       {@code KillMode=mixed}: SIGTERM to the hive, and SIGKILL to the remaining processes after
 *       {@code TimeoutStopSec}; set that longer than the deadline of the shutdown hook. {@code KillMode=process} leaves
 *       workers running if the hive dies for another reason, until it starts again.
 *   <li><b>In a container</b> the hive should not be process 1. Orphaned descendants of a worker become children of
 *       process 1, and a JVM does not reap them: each stays a zombie. Start the container with an init process:
 *       {@code docker run --init}, {@code init: true} in a compose file, {@code tini}.
 *   <li><b>{@code setpriv --pdeathsig}</b> in front of a command does not tie a worker to the hive: the signal is sent
 *       when the <em>thread</em> that started the worker ends, which is an executor's thread. The {@link OrphanReaper}
 *       of the next run kills what a killed hive left behind.
 *   <li><b>{@code LANG=C}</b>, and no {@code LANG} at all: the JVM replaces non-ASCII characters by {@code ?} in
 *       arguments, file names and variables. Set {@code LANG=C.UTF-8} for the hive. The JVM has no option for this
 *       ({@code -Dsun.jnu.encoding} is ignored).
 *   <li><b>{@code setsid} in a script</b>: the worker already leads a session, so a {@code setsid} executed by the
 *       script forks, and the worker exits at once. Leave it out, or add {@code --wait}. As the first word of the
 *       command it is safe.
 * </ul>
 *
 * @since 0.1
 */
public final class LocalProcessController implements ProcessController {

    private static final Logger log = LoggerFactory.getLogger(LocalProcessController.class);

    /** How long a failed start waits for the exit of a process that it started nevertheless. */
    private static final Duration KILL_WAIT = Duration.ofSeconds(5);

    private final String hiveId;
    private final OutputSource outputs;
    private final OwnSession session;
    private final Starter starter;
    private final SharedSearch search;
    private final String id = UUID.randomUUID().toString();
    private final AtomicLong starts = new AtomicLong();

    LocalProcessController(String hiveId, OutputSource outputs, OwnSession session, Starter starter) {
        this(hiveId, outputs, session, starter, SharedSearch.ofThisJvm());
    }

    LocalProcessController(
            String hiveId, OutputSource outputs, OwnSession session, Starter starter, SharedSearch search) {
        this.hiveId = hiveId;
        this.outputs = outputs;
        this.session = session;
        this.starter = starter;
        this.search = search;
    }

    /**
     * Creates a controller with the defaults of {@link #builder()}.
     *
     * @return the controller
     */
    public static LocalProcessController create() {
        return builder().build();
    }

    /**
     * Creates a builder with the default settings.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The id of the hive, by which an {@link OrphanReaper} finds the workers of this controller after the death of this
     * JVM.
     *
     * @return the hive id
     */
    public String hiveId() {
        return hiveId;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Returns when the system has started the program. The program is found as by {@link ProcessBuilder}: on the
     * {@code PATH} of this JVM, not that of the specification, if its name has no slash; otherwise relative to the
     * working directory of the process. It is executed by its path, so its {@code argv[0]} is that path.
     *
     * <p>If the interpreter of a script does not exist, or the file is deleted between search and execution,
     * {@code setsid} fails: the process exits with code 126 or 127, and its output contains the reason. Without
     * {@code setsid} both cause a {@code SpawnException}.
     *
     * <p>The environment consists of the variables inherited from this JVM, those of the specification, and the mark;
     * {@code SPT_NOENV=1} is added unless set, so that Python programs that set a process title do not overwrite the
     * mark.
     *
     * @throws SpawnException if the program cannot be run, or if the working directory or the output directory does not
     *     exist or cannot be used; the message says which
     */
    @Override
    public WorkerProcess start(ProcessSpec spec) {
        checkDirectory(requireNonNull(spec, "spec"));
        ProcessMark mark = markOf(spec);
        ProcessOutput output = open(spec);
        ProcessTree tree = new ProcessTree(mark);
        try {
            Process root = starter.start(builderFor(spec, mark, output));
            return LocalProcess.watch(spec.workerId(), root, mark, tree, search, output);
        } catch (IOException e) { // no child was started
            output.abandon();
            throw new SpawnException(spec.command(), SpawnException.reason(e) + ProcessText.ifTooLong(spec, e), e);
        } catch (RuntimeException | OutOfMemoryError e) {
            // The JDK creates a thread after the fork. If that fails, the child runs nevertheless.
            endAll(tree, spec);
            output.abandon();
            throw new SpawnException(spec.command(), SpawnException.reason(e), e);
        }
    }

    /** The mark contains the identity of this JVM, by which its workers are found after its death. */
    private ProcessMark markOf(ProcessSpec spec) {
        Origin origin = Origin.here(hiveId, spec.workerId(), id + "." + starts.incrementAndGet());
        if (Proc.isAvailable() && origin.hive().startTime() == ProcessIdentity.UNKNOWN) {
            throw new SpawnException(spec.command(), "the start time of this JVM cannot be read now", null);
        }
        return origin.mark();
    }

    private static void endAll(ProcessTree tree, ProcessSpec spec) {
        KillLoop loop = new KillLoop(
                () -> tree.searchConclusively() && !tree.isAlive(), tree::isAlive, () -> tree.signal(Signal.KILL));
        if (!loop.run(System.nanoTime() + KILL_WAIT.toNanos())) {
            log.warn("worker {}: a process of its failed start may be left running", LogText.of(spec.workerId()));
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>Uses an {@link OrphanReaper} with the hive id of this controller, on Linux. Also removes temporary directories
     * that a dead hive of this id left behind.
     */
    @Override
    public OrphanReport reapOrphans() {
        OrphanReport report = OrphanReaper.of(hiveId).reap();
        if (report.supported()) {
            AbandonedDirectories.remove(Path.of(System.getProperty("java.io.tmpdir")), hiveId);
        }
        return report;
    }

    /** The message of the JDK does not distinguish a missing directory from a missing program. */
    private static void checkDirectory(ProcessSpec spec) {
        Optional<Path> directory = spec.directory();
        if (directory.isPresent() && !Files.isDirectory(directory.get())) {
            String reason = "working directory " + directory.get() + " does not exist or is no directory";
            throw new SpawnException(spec.command(), reason, null);
        }
        if (directory.isPresent() && !Files.isExecutable(directory.get())) {
            String reason = "working directory " + directory.get() + " may not be entered";
            throw new SpawnException(spec.command(), reason, null);
        }
    }

    private ProcessOutput open(ProcessSpec spec) {
        try {
            return outputs.open(spec.workerId());
        } catch (IOException | RuntimeException e) {
            throw new SpawnException(spec.command(), SpawnException.reason(e), e);
        }
    }

    private ProcessBuilder builderFor(ProcessSpec spec, ProcessMark mark, ProcessOutput output) {
        ProcessBuilder builder = new ProcessBuilder(session.command(spec));
        Map<String, String> environment = builder.environment(); // initially that of this JVM
        environment.keySet().removeIf(name -> !spec.inherited().includes(name));
        environment.putAll(spec.environment());
        mark.putInto(environment);
        spec.directory().ifPresent(directory -> builder.directory(directory.toFile()));
        builder.redirectInput(Redirect.from(Redirect.DISCARD.file())); // /dev/null or its equivalent
        output.connect(builder);
        return builder;
    }

    /** {@link ProcessBuilder#start()}, replaceable by tests. */
    @FunctionalInterface
    interface Starter {
        Process start(ProcessBuilder builder) throws IOException;
    }

    /**
     * Settings of a {@link LocalProcessController}. If several output methods are called, the last one takes effect.
     *
     * @since 0.1
     */
    public static final class Builder {

        private static final long DEFAULT_OUTPUT_LIMIT = 16L << 20;

        private LongFunction<OutputSource> outputs = limit -> new TemporaryOutput(this.hiveId, limit);
        private long outputLimit = DEFAULT_OUTPUT_LIMIT;
        private String hiveId = "default";

        private Builder() {}

        /**
         * Sets the hive id. An {@link OrphanReaper} with this id kills the workers that this JVM leaves behind when it
         * dies. A hive keeps its id across restarts. Concurrent hives may share an id: workers of a live hive are never
         * killed.
         *
         * @param hiveId not blank, at most 256 characters, no control or invisible characters; default {@code default}
         * @return this builder
         */
        public Builder hiveId(String hiveId) {
            this.hiveId = requireNonNull(hiveId, "hiveId");
            return this;
        }

        /**
         * Writes the output of each worker to its own file in this directory; the next process of the same id appends
         * to it. The file is {@code <worker id>.log} if the id consists of at most 200 lower-case ASCII letters,
         * digits, {@code _}, {@code .} and {@code -}, does not begin with one of the last two, and is not a Windows
         * device name ({@code con}, {@code nul}, …). For any other id, other characters become {@code _}, followed by
         * {@code ~} and a hash of the id, so that different ids have different files on a case-insensitive file system,
         * too. You may delete or rotate the files at any time, but a worker keeps writing to the file that it was
         * started with: rotation by copy and truncate frees the disk at once, rotation by rename does not. A truncation
         * is not noticed if the file has grown to its old size again by the next tick; a follower then misses lines.
         *
         * <p>A new file has mode 0600 if the file system supports modes; an existing file keeps its mode. A worker is
         * not started if its file is a link, has a second (hard) link, is not a regular file, or belongs neither to the
         * user of this JVM nor to the owner of the directory: otherwise other users with write access to the directory
         * could redirect output to a file of their choice, which would be truncated at the limit. On Linux the opened
         * file itself is checked, so a rename cannot bypass the checks. Elsewhere only links and file types are
         * checked, before and after opening; do not allow other users to write to the directory there.
         *
         * <p>Default: a temporary directory of mode 0700, created on demand; a file is deleted when its process is
         * released, and the directory with the last file.
         *
         * @param directory must exist and be writable when a worker is started
         * @return this builder
         */
        public Builder outputDirectory(Path directory) {
            requireNonNull(directory, "directory");
            outputs = limit -> new PersistentOutput(directory, limit);
            return this;
        }

        /**
         * Sets the maximum size of a worker's output file. A larger file is truncated to zero; the last 64 KiB are kept
         * in memory for {@link WorkerProcess#outputTail}.
         *
         * <p>Checked in {@link WorkerProcess#outputBytes}, so the effective bound is this limit plus what the worker
         * writes between two calls. A supervisor calls it at every tick, 100 ms by default: an ordinary server writes
         * kilobytes in that time; a program that only writes, such as {@code yes}, 100 to 200 MB. A shorter tick gives
         * a tighter bound.
         *
         * @param bytes &gt; 0, default 16 MiB
         * @return this builder
         */
        public Builder outputLimit(long bytes) {
            outputLimit = bytes;
            return this;
        }

        /**
         * Discards the output of workers. A stalled load is then stopped only if the worker sent a heartbeat or its
         * progress was reported before, see
         * {@link io.github.workerregistry.lifecycle.LifecycleConfig#loadStallTimeout()}.
         *
         * @return this builder
         */
        public Builder discardOutput() {
            outputs = limit -> workerId -> new UnrecordedOutput(Redirect.DISCARD);
            return this;
        }

        /**
         * Lets workers write to stdout and stderr of this JVM. If those are pipes, they must be read as long as a
         * worker runs. The output is not recorded, with the same effect on stalled loads as {@link #discardOutput()}.
         *
         * @return this builder
         */
        public Builder inheritOutput() {
            outputs = limit -> workerId -> new UnrecordedOutput(Redirect.INHERIT);
            return this;
        }

        /**
         * Builds the controller. Creates no files yet.
         *
         * @return the controller
         * @throws IllegalArgumentException if the hive id is not a valid name, or the output limit is not positive
         */
        public LocalProcessController build() {
            requireName(hiveId, "hiveId");
            if (outputLimit <= 0) {
                throw new IllegalArgumentException("outputLimit must be > 0, was " + outputLimit);
            }
            return new LocalProcessController(
                    hiveId, outputs.apply(outputLimit), OwnSession.ofThisSystem(), ProcessBuilder::start);
        }
    }
}
