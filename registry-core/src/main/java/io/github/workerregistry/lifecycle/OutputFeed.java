package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The output of one worker, over all its generations, for its followers. Costs nothing while there are none.
 *
 * <p>A tick that finds more output submits a read to the blocking executor, of at most {@link #TICK_BYTES}. The rest of
 * a process is read after its exit, before it is released. Reads run one after another.
 */
final class OutputFeed {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** Bytes read at once; the listeners are called in between. */
    static final int CHUNK = 64 * 1024;

    /** Chunks read after a tick, and after an exit. */
    private static final int TICK_CHUNKS = 16;

    static final int TICK_BYTES = TICK_CHUNKS * CHUNK;

    private final WorkerName spawned;
    private final Executor blocking;
    private final SerialExecutor reads;
    private final List<OutputFollower> followers = new CopyOnWriteArrayList<>();
    private final AtomicBoolean submitted = new AtomicBoolean();
    private final AtomicInteger lastRead = new AtomicInteger(); // generation whose last output is, or was, being read
    private volatile boolean ended;

    // written by reads only
    private volatile int currentGeneration; // the one that was read last
    private volatile long position; // in its output
    private int exitedGeneration;
    private final LineSplitter splitter = new LineSplitter();
    private long bytesRead;
    private long linesRead;
    private boolean warned;

    OutputFeed(WorkerName spawned, WorkerRegistry registry, Executor blocking) {
        this.spawned = spawned;
        this.blocking = blocking;
        this.reads = new SerialExecutor(registry);
    }

    /** The worker, in the generation that was read last. */
    WorkerName name() {
        return spawned.withGeneration(Math.max(spawned.generation(), currentGeneration));
    }

    void add(OutputFollower follower) {
        followers.add(follower);
        if (ended) {
            end(follower);
        }
    }

    List<OutputFollower> followers() {
        return followers;
    }

    void remove(OutputFollower follower) {
        followers.remove(follower);
    }

    /** A tick has found that a generation has written this number of bytes. */
    void grown(int generation, WorkerProcess process, long bytes) {
        if (followers.isEmpty()) {
            return;
        }
        followers.forEach(OutputFollower::wake); // an executor may have refused a task
        if ((generation == currentGeneration && bytes <= position) || !submitted.compareAndSet(false, true)) {
            return;
        }
        try {
            blocking.execute(() -> readOnce(generation, process));
        } catch (Throwable t) { // shut down, or full: the next tick tries again
            submitted.set(false);
            log.debug("worker {}: its output is read later", spawned.withGeneration(generation), LogText.of(t));
        }
    }

    /**
     * A process has exited. Reads its last output if it is followed, once.
     *
     * @param next called, outside of decisions, after the last lines have been passed to the followers' executors
     * @return whether {@code next} will be called
     */
    boolean readLast(int generation, WorkerProcess process, Runnable next) {
        int last = lastRead.get();
        if (followers.isEmpty() || generation <= last || !lastRead.compareAndSet(last, generation)) {
            return false;
        }
        reads.execute(spawned.withGeneration(generation), () -> {
            try {
                readRest(generation, process);
            } finally {
                DeferredCallBacks.run(next);
            }
        });
        return true;
    }

    /** Runs a task when no read is running. */
    void afterReads(Runnable task) {
        if (followers.isEmpty()) {
            task.run();
        } else {
            reads.execute(name(), task);
        }
    }

    /** The worker has been removed. */
    void end() {
        reads.execute(name(), () -> {
            ended = true; // first: a follower that is added from now on is ended by add()
            followers.forEach(OutputFeed::end);
        });
    }

    /** Returns false if it had been ended before. */
    private static boolean end(OutputFollower follower) {
        boolean first = follower.end();
        DeferredCallBacks.run(follower::wake);
        return first;
    }

    private void wake() {
        followers.forEach(follower -> DeferredCallBacks.run(follower::wake));
    }

    private void readOnce(int generation, WorkerProcess process) {
        try {
            readSome(generation, process);
        } catch (Throwable t) { // no memory
            submitted.set(false);
            throw t;
        }
    }

    /**
     * Reads chunk by chunk; call-backs run between two chunks. Ends early if another thread runs a chunk: it is not
     * known here how much that reads.
     */
    private void readSome(int generation, WorkerProcess process) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        AtomicInteger count = new AtomicInteger();
        for (int i = 0; i == 0 || (i < TICK_CHUNKS && count.getAndSet(0) > 0); i++) {
            reads.execute(spawned.withGeneration(generation), () -> {
                submitted.set(false); // not before: behind a read that hangs, ticks would queue one read each
                count.set(generation > exitedGeneration ? read(generation, process, chunk) : 0);
                wake();
            });
        }
    }

    private void readRest(int generation, WorkerProcess process) {
        moveTo(generation);
        skipTo(bytesOf(process) - TICK_BYTES);
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        int left = TICK_BYTES;
        for (int count = 1; count > 0 && left > 0; left -= count) {
            count = read(generation, process, chunk);
        }
        splitter.finish(position, this::deliver);
        exitedGeneration = generation;
        wake();
    }

    private long bytesOf(WorkerProcess process) {
        try {
            return process.outputBytes();
        } catch (Throwable t) { // foreign code
            warnOnce(t);
            return 0;
        }
    }

    /** Reads a chunk; returns the number of bytes. */
    private int read(int generation, WorkerProcess process, ByteBuffer chunk) {
        chunk.clear();
        if (followers.isEmpty()) {
            return 0;
        }
        moveTo(generation);
        try {
            OptionalLong first = process.readOutput(position, chunk);
            if (first.isEmpty()) {
                unavailable();
                return 0;
            }
            int count = chunk.position();
            if (count > 0) {
                skipTo(first.getAsLong());
                split(chunk);
            }
            return count;
        } catch (Throwable t) { // foreign code
            warnOnce(t);
            return 0;
        }
    }

    /** Moves on to the next generation, or to where the first of new followers begins. */
    private void moveTo(int generation) {
        long wanted = followers.stream()
                .mapToLong(follower -> follower.wantedFrom(generation))
                .min()
                .orElse(0);
        if (generation != currentGeneration || wanted > position) {
            splitter.reset();
            position = wanted;
            currentGeneration = generation;
        }
    }

    /** Output up to this offset is dropped. */
    private void skipTo(long offset) {
        if (offset <= position) {
            return;
        }
        for (OutputFollower follower : followers) {
            long missing = offset - Math.max(position, follower.wantedFrom(currentGeneration));
            if (missing > 0) {
                follower.drop(linesIn(missing));
            }
        }
        splitter.reset();
        position = offset;
    }

    /** An estimate from the lines so far. */
    private long linesIn(long bytes) {
        return bytesRead == 0 ? 1 : Math.max(1, Math.round((double) bytes * linesRead / bytesRead));
    }

    private void split(ByteBuffer chunk) {
        chunk.flip();
        long end = position + chunk.limit();
        splitter.add(chunk, position, this::deliver);
        bytesRead += chunk.limit();
        position = end;
    }

    /** Decodes a line only if a follower has room for it: a listener that blocks costs little. */
    private void deliver(Supplier<String> line, long end) {
        linesRead++;
        String text = null;
        for (OutputFollower follower : followers) {
            if (end > follower.wantedFrom(currentGeneration) && !follower.dropIfFull()) {
                text = text == null ? line.get() : text;
                follower.offer(text);
            }
        }
    }

    private void unavailable() {
        long ended = followers.stream().filter(OutputFeed::end).count();
        if (ended > 0) { // else a listener has not been called yet
            log.warn("worker {}: its output is not followed: it is not recorded, or cannot be read", name());
        }
    }

    private void warnOnce(Throwable failure) {
        if (warned) {
            log.debug("worker {}: its output cannot be read", name(), LogText.of(failure));
        } else {
            warned = true;
            log.warn("worker {}: its output cannot be read", name(), LogText.of(failure));
        }
    }
}
