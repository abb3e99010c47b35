package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A clock and scheduler for tests. Time moves only in {@link #advance}, which runs due tasks in order on the calling
 * thread.
 *
 * <pre>{@code
 * VirtualTime time = new VirtualTime();
 * WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
 * WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time).processController(new FakeProcessController()).build();
 * time.advance(Duration.ofMinutes(5));
 * }</pre>
 *
 * <p>As an executor it behaves like a single-threaded {@link java.util.concurrent.ScheduledThreadPoolExecutor}: tasks
 * due at the same time run in submission order, a periodic task that throws is not run again, and {@link #shutdown()}
 * cancels periodic tasks and lets delayed ones run. Tasks may be submitted from any thread; only one thread may advance
 * time.
 *
 * @since 0.1
 */
public final class VirtualTime extends AbstractExecutorService implements ScheduledExecutorService, InstantSource {

    private final PriorityQueue<Task<?>> queue = new PriorityQueue<>(
            Comparator.<Task<?>, Instant>comparing(task -> task.due).thenComparingLong(task -> task.sequence));
    private Instant now;
    private long nextSequence;
    private boolean shutdown;

    /** Creates a clock that starts at 2026-01-01T00:00:00Z. */
    public VirtualTime() {
        this(Instant.parse("2026-01-01T00:00:00Z"));
    }

    /**
     * Creates a clock.
     *
     * @param start the initial time
     */
    public VirtualTime(Instant start) {
        now = requireNonNull(start, "start");
    }

    @Override
    public synchronized Instant instant() {
        return now;
    }

    /**
     * Advances time and runs every task that becomes due, each at its due time.
     *
     * @param duration by how much, &ge; 0
     * @throws IllegalArgumentException if {@code duration} is negative, or the new time would exceed
     *     {@link Instant#MAX}
     */
    public void advance(Duration duration) {
        if (requireNonNull(duration, "duration").isNegative()) {
            throw new IllegalArgumentException("duration must be >= 0, was " + duration);
        }
        Instant start = instant();
        if (duration.compareTo(Duration.between(start, Instant.MAX)) > 0) {
            throw new IllegalArgumentException("duration must not exceed Instant.MAX, was " + duration);
        }
        Instant end = start.plus(duration);
        for (Task<?> task = pollDue(end); task != null; task = pollDue(end)) {
            task.run();
        }
        setNow(end);
    }

    /** Runs the tasks that are due now, without advancing time. */
    public void runDueTasks() {
        advance(Duration.ZERO);
    }

    /**
     * Number of pending tasks: delayed, periodic, or due and not run yet.
     *
     * @return the number
     */
    public synchronized int pendingTasks() {
        return queue.size();
    }

    private synchronized @Nullable Task<?> pollDue(Instant end) {
        Task<?> task = queue.peek();
        if (task == null || task.due.isAfter(end)) {
            return null;
        }
        queue.remove();
        setNow(task.due);
        return task;
    }

    private synchronized void setNow(Instant time) {
        if (time.isAfter(now)) {
            now = time;
        }
    }

    @Override
    public void execute(Runnable command) {
        schedule(command, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        requireNonNull(command, "command");
        return enqueue(new Task<>(Executors.callable(command), Duration.ZERO, false), toDuration(delay, unit));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        requireNonNull(callable, "callable");
        return enqueue(new Task<>(callable, Duration.ZERO, false), toDuration(delay, unit));
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
        requireNonNull(command, "command");
        return enqueue(
                new Task<>(Executors.callable(command), requirePositive(toDuration(period, unit)), true),
                toDuration(initialDelay, unit));
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay, TimeUnit unit) {
        requireNonNull(command, "command");
        return enqueue(
                new Task<>(Executors.callable(command), requirePositive(toDuration(delay, unit)), false),
                toDuration(initialDelay, unit));
    }

    private synchronized <V> ScheduledFuture<V> enqueue(Task<V> task, Duration delay) {
        if (shutdown) {
            throw new RejectedExecutionException("this VirtualTime has been shut down");
        }
        task.due = after(now, delay.isNegative() ? Duration.ZERO : delay);
        task.sequence = nextSequence++;
        queue.add(task);
        return task;
    }

    /** Saturates at {@code Long.MAX_VALUE} nanoseconds: a delay of {@code Long.MAX_VALUE} days means never. */
    private static Duration toDuration(long amount, TimeUnit unit) {
        return Duration.ofNanos(requireNonNull(unit, "unit").toNanos(amount));
    }

    /** Saturates at {@link Instant#MAX}. */
    private static Instant after(Instant start, Duration delay) {
        try {
            return start.plus(delay);
        } catch (DateTimeException | ArithmeticException pastTheEndOfTime) {
            return Instant.MAX;
        }
    }

    private static Duration requirePositive(Duration period) {
        if (period.isZero() || period.isNegative()) {
            throw new IllegalArgumentException("period must be > 0, was " + period);
        }
        return period;
    }

    @Override
    public synchronized void shutdown() {
        shutdown = true;
        for (Task<?> task : List.copyOf(queue)) {
            if (task.isPeriodic()) {
                task.cancel(false);
            }
        }
    }

    @Override
    public synchronized List<Runnable> shutdownNow() {
        shutdown = true;
        List<Runnable> waiting = new ArrayList<>(queue);
        queue.clear();
        return waiting;
    }

    @Override
    public synchronized boolean isShutdown() {
        return shutdown;
    }

    @Override
    public synchronized boolean isTerminated() {
        return shutdown && queue.isEmpty();
    }

    /** Returns {@link #isTerminated()} without waiting, because waiting does not advance virtual time. */
    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        requireNonNull(unit, "unit");
        return isTerminated();
    }

    /**
     * Removes pending tasks and rejects new ones. Unlike the executors of the JDK it does not wait for delayed tasks,
     * because time would not advance. Idempotent.
     */
    @SuppressWarnings({"MissingOverride", "override"}) // of ExecutorService, since Java 19
    public void close() {
        shutdownNow();
    }

    private final class Task<V> extends FutureTask<V> implements RunnableScheduledFuture<V> {
        private final Duration period;
        private final boolean fixedRate;
        private Instant due = Instant.MIN;
        private long sequence;

        Task(Callable<V> callable, Duration period, boolean fixedRate) {
            super(callable);
            this.period = period;
            this.fixedRate = fixedRate;
        }

        @Override
        public boolean isPeriodic() {
            return !period.isZero();
        }

        @Override
        public void run() {
            if (!isPeriodic()) {
                super.run();
            } else if (runAndReset()) {
                repeat();
            }
        }

        private void repeat() {
            synchronized (VirtualTime.this) {
                if (!shutdown && !isCancelled()) {
                    due = after(fixedRate ? due : now, period);
                    sequence = nextSequence++;
                    queue.add(this);
                }
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            synchronized (VirtualTime.this) {
                queue.remove(this);
                return super.cancel(mayInterruptIfRunning);
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(Duration.between(instant(), due));
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }
}
