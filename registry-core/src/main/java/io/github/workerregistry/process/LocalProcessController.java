package io.github.workerregistry.process;

import static io.github.workerregistry.WorkerInfo.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.LogText;
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
 * Starts workers as processes of this machine, with the rights of this JVM.
 *
 * <pre>{@code
 * ProcessController processes = LocalProcessController.builder()
 *         .outputDirectory(Path.of("/var/log/my-hive"))
 *         .build();
 * }</pre>
 *
 * <p>What is done so that neither a worker nor the JDK can surprise you:
 *
 * <ul>
 *   <li>stdout and stderr go to one file of a bounded size (or nowhere, or to this JVM's own), never to a pipe: a pipe
 *       that nobody reads blocks the worker, and a grandchild that holds it makes the JDK miss the end of its parent.
 *       stdin is empty.
 *   <li>That file is held open from the start of a process until its {@link WorkerProcess#release}, at the cost of one
 *       file descriptor of this JVM for each worker. Deleted, renamed or rotated meanwhile, it still counts, stays
 *       bounded, and its last lines are there when the process has exited; what others put in its place is neither read
 *       nor cut. The next process opens the name anew.
 *   <li>Signals go to the whole tree, found afresh each time, also after the root has gone. On Linux every child bears
 *       a mark in its environment ({@code WORKER_REGISTRY_MARK}), by which what it started is found wherever it went.
 *       Elsewhere only what still hangs on a living parent is found.
 *   <li>A worker has a session of its own, by {@code setsid} (util-linux, busybox, toybox) in front of its command,
 *       where there is one: a signal to the process group of this JVM does not reach it.
 *   <li>The mark also names the hive and the worker. What a hive leaves behind that was killed itself, an
 *       {@link OrphanReaper} ends when the hive starts again; a supervisor calls it before it starts anything.
 *   <li>A process is a pid and a start time; who got the pid later is never signalled.
 *   <li>Signals are sent through {@link ProcessHandle}. {@link Process#destroy()} also closes the streams, and a worker
 *       that ends in good order would die of that.
 * </ul>
 *
 * <p>A search looks at every process of the machine, about 20 µs each. There is one for each call of {@code terminate}
 * and {@code kill} and one or two for each exit, none while a worker runs.
 *
 * <p>What cannot be read or sent at the moment, because no file descriptor is free, say, is tried again by the next
 * call; no worker counts as gone for it, and no orphan as ended.
 *
 * <p>It has no threads of its own; the JDK has one small thread for each child. Thread-safe.
 *
 * <p>Running a hive with it:
 *
 * <ul>
 *   <li><b>Ctrl-C</b> and a terminal that is closed end the hive alone. It ends its workers in good order if it has a
 *       {@linkplain io.github.workerregistry.lifecycle.WorkerSupervisor.Builder#shutdownHook shutdown hook}. Without
 *       one they run on until a hive of the same id starts again.
 *   <li><b>systemd</b> sends SIGTERM to all processes of a unit, workers too, and so cuts their requests off. Set
 *       {@code KillMode=mixed}: SIGTERM to the hive, and SIGKILL to what is left when {@code TimeoutStopSec} is over;
 *       make that longer than the deadline of the shutdown hook. {@code KillMode=process} leaves workers running when
 *       the hive dies of something else, until it starts again.
 *   <li><b>In a container</b> the hive should not be process 1. What a worker leaves behind is handed to process 1, and
 *       a JVM does not collect the exit codes of such processes: each stays a zombie, an entry in the table of
 *       processes. Start the container with an init that does: {@code docker run --init}, {@code init: true} in a
 *       compose file, {@code tini}.
 *   <li><b>{@code setpriv --pdeathsig}</b> in front of a command does not tie a worker to the hive: the signal comes
 *       when the <em>thread</em> that started the worker ends, which is one of an executor's. What a hive leaves behind
 *       that is killed, the {@link OrphanReaper} of the next one ends.
 *   <li><b>{@code LANG=C}</b>, and no {@code LANG} at all: the JVM gives characters other than ASCII to a program as
 *       {@code ?}, in arguments, file names and variables. Set {@code LANG=C.UTF-8} for the hive. The JVM has no option
 *       for it ({@code -Dsun.jnu.encoding} is ignored).
 *   <li><b>{@code setsid} in a script</b>: since the worker leads a session already, a {@code setsid} that the script
 *       executes forks, and the worker ends at once. Leave it out, or add {@code --wait}. As the first word of the
 *       command it does no harm.
 * </ul>
 */
public final class LocalProcessController implements ProcessController {

    private static final Logger log = LoggerFactory.getLogger(LocalProcessController.class);

    /** For so long a start that has failed waits for the end of what it had started all the same. */
    private static final Duration KILL_WAIT = Duration.ofSeconds(5);

    private final String hiveId;
    private final OutputSource outputs;
    private final OwnSession session;
    private final Starter starter;
    private final String id = UUID.randomUUID().toString();
    private final AtomicLong starts = new AtomicLong();

    LocalProcessController(String hiveId, OutputSource outputs, OwnSession session, Starter starter) {
        this.hiveId = hiveId;
        this.outputs = outputs;
        this.session = session;
        this.starter = starter;
    }

    /**
     * A controller with the defaults of the {@link #builder()}.
     *
     * @return the controller
     */
    public static LocalProcessController create() {
        return builder().build();
    }

    /**
     * Where something is to differ from the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The name of the hive, by which an {@link OrphanReaper} knows the workers of this controller once this JVM is
     * dead.
     *
     * @return the hive id
     */
    public String hiveId() {
        return hiveId;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Returns when the system has started the program. The program is found as {@link ProcessBuilder} finds it: by
     * the {@code PATH} of this JVM, not by one of the specification, if its name has no slash; else from the working
     * directory of the process. It is executed by its path, so that is what it sees as the name by which it was called.
     *
     * <p>A script whose interpreter is not there, and a file that goes between search and execution, are known to
     * {@code setsid} only: then the process ends with exit code 126 or 127 and says why in its output. Where there is
     * no {@code setsid} they are a {@code SpawnException}, too.
     *
     * <p>The environment is what of this JVM's is inherited, then what the specification adds, then the mark;
     * {@code SPT_NOENV=1} is added unless set, so that Python programs which set a title leave the mark readable.
     *
     * @throws SpawnException if the program cannot be run, or if the working directory or the output directory is not
     *     there or cannot be used; the message says which
     */
    @Override
    public WorkerProcess start(ProcessSpec spec) {
        checkDirectory(requireNonNull(spec, "spec"));
        ProcessMark mark = markOf(spec);
        ProcessOutput output = open(spec);
        ProcessTree tree = new ProcessTree(mark);
        try {
            Process root = starter.start(builderFor(spec, mark, output));
            return LocalProcess.watch(spec.workerId(), root, mark, tree, output);
        } catch (IOException e) { // there is no child
            output.abandon();
            throw new SpawnException(spec.command(), SpawnException.reason(e) + ProcessText.ifTooLong(spec, e), e);
        } catch (RuntimeException | OutOfMemoryError e) {
            // The JDK makes a thread after the fork. If that fails, there is an error and also a child.
            endAll(tree, spec);
            output.abandon();
            throw new SpawnException(spec.command(), SpawnException.reason(e), e);
        }
    }

    /** By its own identity this JVM's workers are found again when it has died. */
    private ProcessMark markOf(ProcessSpec spec) {
        Origin origin = Origin.here(hiveId, spec.workerId(), id + "." + starts.incrementAndGet());
        if (Proc.isAvailable() && origin.hive().startTime() == ProcessIdentity.UNKNOWN) {
            throw new SpawnException(spec.command(), "the start time of this JVM cannot be read now", null);
        }
        return origin.mark();
    }

    private static void endAll(ProcessTree tree, ProcessSpec spec) {
        KillLoop loop = new KillLoop(
                () -> tree.searchWithPatience() && !tree.isAlive(), tree::isAlive, () -> tree.signal(Signal.KILL));
        if (!loop.run(System.nanoTime() + KILL_WAIT.toNanos())) {
            log.warn("worker {}: a process of its failed start may be left running", LogText.of(spec.workerId()));
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>By an {@link OrphanReaper} of this controller's hive id, on Linux. Temporary directories that such a hive left
     * behind are removed, too.
     */
    @Override
    public OrphanReport reapOrphans() {
        OrphanReport report = OrphanReaper.of(hiveId).reap();
        if (report.supported()) {
            AbandonedDirectories.remove(Path.of(System.getProperty("java.io.tmpdir")), hiveId);
        }
        return report;
    }

    /** The JDK's own message is the same for a directory and for a program that is not there. */
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
        Map<String, String> environment = builder.environment(); // this JVM's own, to begin with
        environment.keySet().removeIf(name -> !spec.inherited().includes(name));
        environment.putAll(spec.environment());
        mark.putInto(environment);
        spec.directory().ifPresent(directory -> builder.directory(directory.toFile()));
        builder.redirectInput(Redirect.from(Redirect.DISCARD.file())); // /dev/null, or what the system has in its place
        output.connect(builder);
        return builder;
    }

    /** {@link ProcessBuilder#start()}; tests put their own here. */
    @FunctionalInterface
    interface Starter {
        Process start(ProcessBuilder builder) throws IOException;
    }

    /** Settings of a {@link LocalProcessController}. Of the choices where output goes the last one made counts. */
    public static final class Builder {

        private static final long DEFAULT_OUTPUT_LIMIT = 16L << 20;

        private LongFunction<OutputSource> outputs = limit -> new TemporaryDirectory(this.hiveId, limit);
        private long outputLimit = DEFAULT_OUTPUT_LIMIT;
        private String hiveId = "default";

        private Builder() {}

        /**
         * Names the hive. An {@link OrphanReaper} of this id ends the workers that this JVM leaves behind when it dies.
         * A hive keeps its id over its restarts. Hives that run side by side may share one: nobody touches the workers
         * of a hive that lives.
         *
         * @param hiveId a name: not blank, at most 256 characters, no control or invisible characters; default
         *     {@code default}
         * @return this builder
         * @throws IllegalArgumentException if it is no such name
         */
        public Builder hiveId(String hiveId) {
            this.hiveId = requireName(hiveId, "hiveId");
            return this;
        }

        /**
         * Keeps the output of each worker in a file of its own in this directory; the next process of the same id
         * appends to it. An id of small ASCII letters, digits, {@code _}, {@code .} and {@code -}, which begins with
         * none of the last two, has at most 200 characters and is not the name of a device of Windows ({@code con},
         * {@code nul}, …), has the file {@code <worker id>.log}. For any other, other characters become {@code _}, and
         * {@code ~} and a hash of the id follow, so that different ids have different files also where {@code a} and
         * {@code A} are one name. The files are yours to delete or to rotate, also while a worker writes to one, but
         * until its exit a worker goes on with the file that it was started with: to rotate by copying and truncating
         * frees the disk at once, to rename does not.
         *
         * <p>A new file has the mode 0600 where the file system has modes; one that is there keeps its own. A worker is
         * not started if its file is a link, has a second (hard) link, is anything but a regular file, or belongs to
         * another user than this JVM's and the directory's: where others may write to the directory, output would be
         * appended to a file of their choice, which would be emptied at the limit. On Linux no change of names comes
         * between these checks and the opening. Elsewhere only links and kinds of files are checked, before and after
         * it; let nobody else write to the directory there.
         *
         * <p>Default: a temporary directory of mode 0700, made when it is needed; a file goes when its process is
         * released, and the directory with the last file.
         *
         * @param directory has to exist and be writable when a worker is started
         * @return this builder
         */
        public Builder outputDirectory(Path directory) {
            requireNonNull(directory, "directory");
            outputs = limit -> new KeptDirectory(directory, limit);
            return this;
        }

        /**
         * How large the output file of a worker may grow. Grown over it, the file is emptied and begins anew; the last
         * 64 KiB are remembered for {@link WorkerProcess#outputTail}.
         *
         * <p>Checked in {@link WorkerProcess#outputBytes}, so the bound that holds is this limit and what the worker
         * writes between two calls. A supervisor calls it once a sweep, 100 ms by default: an ordinary server writes
         * kilobytes in that time; a program that does nothing but write, such as {@code yes}, 100 to 200 MB. A shorter
         * sweep bounds it closer.
         *
         * @param bytes &gt; 0, default 16 MiB
         * @return this builder
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder outputLimit(long bytes) {
            if (bytes <= 0) {
                throw new IllegalArgumentException("outputLimit must be > 0, was " + bytes);
            }
            outputLimit = bytes;
            return this;
        }

        /**
         * Throws the output of workers away. Then a load is ended for a stall only if the worker sent a heartbeat or
         * its progress was reported before, see {@link io.github.workerregistry.lifecycle.LifecycleConfig#loadStall()}.
         *
         * @return this builder
         */
        public Builder discardOutput() {
            outputs = limit -> workerId -> new UnrecordedOutput(Redirect.DISCARD);
            return this;
        }

        /**
         * Lets workers write to stdout and stderr of this JVM. Should those be pipes, somebody has to read them as long
         * as a worker runs. The output is not recorded here, with the same effect on stalled loads as
         * {@link #discardOutput()}.
         *
         * @return this builder
         */
        public Builder inheritOutput() {
            outputs = limit -> workerId -> new UnrecordedOutput(Redirect.INHERIT);
            return this;
        }

        /**
         * Makes the controller. Nothing is created in the file system yet.
         *
         * @return the controller
         */
        public LocalProcessController build() {
            return new LocalProcessController(
                    hiveId, outputs.apply(outputLimit), OwnSession.ofThisSystem(), ProcessBuilder::start);
        }
    }
}
