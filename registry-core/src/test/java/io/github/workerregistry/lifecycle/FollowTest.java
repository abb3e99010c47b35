package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.testing.ForwardingProcess;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Following the output of a worker, in virtual time. */
@ExtendWith(UnexpectedWarnings.class)
class FollowTest {

    private static final Duration TICK = Duration.ofMillis(100);

    private final VirtualHive hive = VirtualHive.restarting();
    private final Heard heard = new Heard();

    /** Records all calls. */
    private static final class Heard implements OutputListener {
        final List<String> calls = new ArrayList<>();

        @Override
        public void onLine(String line) {
            calls.add(line);
        }

        @Override
        public void onEnd() {
            calls.add("end");
        }
    }

    private Subscription follow(String id) {
        return hive.supervisor.follow(id, heard, Runnable::run);
    }

    private void print(String id, String... lines) {
        for (String line : lines) {
            hive.processes.print(id, line);
        }
    }

    @Test
    void linesPrintedFromNowOnArriveAtTheNextTick() {
        String id = hive.spawnReady();
        print(id, "before");
        follow(id);
        print(id, "one", "two");
        assertThat(heard.calls).isEmpty();

        hive.advance(TICK);
        print(id, "three");
        hive.advance(TICK);

        assertThat(heard.calls).containsExactly("one", "two", "three");
    }

    @Test
    void aWorkerIsFollowedOverARestart() {
        String id = hive.spawnReady();
        follow(id);
        print(id, "first");
        UnexpectedWarnings.expect("worker " + id + " (tiny, generation 1) has ended");
        hive.processes.exit(id, 1);
        hive.advanceSeconds(10);
        print(id, "second");
        hive.advance(TICK);

        assertThat(hive.worker(id).generation()).isEqualTo(2);
        assertThat(heard.calls).containsExactly("first", "second");
    }

    @Test
    void aWorkerThatIsBackingOffIsFollowedFromItsNextStart() {
        String id = hive.spawnReady();
        print(id, "first");
        UnexpectedWarnings.expect("worker " + id + " (tiny, generation 1) has ended");
        hive.processes.exit(id, 1);
        follow(id);
        hive.advanceSeconds(10);
        print(id, "second");
        hive.advance(TICK);

        assertThat(heard.calls).containsExactly("second");
    }

    @Test
    void theLastOutputArrivesBeforeTheRemovalAndThenTheSubscriptionEnds() {
        String id = hive.spawnReady();
        List<String> order = heard.calls;
        hive.onNext(WorkerEvent.Removed.class, removed -> order.add("removed"));
        follow(id);
        print(id, "last words");

        hive.stop(id);

        assertThat(order).containsExactly("last words", "removed", "end");
        hive.advanceSeconds(1);
        assertThat(order).hasSize(3);
    }

    /** Regression: after the removal nothing submitted them again. */
    @Test
    void callsThatTheExecutorRefusesAfterTheRemovalAreSubmittedAgain() {
        String id = hive.spawnReady();
        AtomicBoolean full = new AtomicBoolean(true);
        Executor executor = task -> {
            if (full.get()) {
                throw new RejectedExecutionException("full");
            }
            task.run();
        };
        hive.supervisor.follow(id, heard, executor);
        print(id, "last words");
        hive.stop(id);
        hive.supervisor.follow("gone", heard, executor);
        hive.advanceSeconds(1);
        assertThat(heard.calls).isEmpty();

        full.set(false);
        hive.advance(TICK);

        assertThat(heard.calls).containsExactlyInAnyOrder("last words", "end", "end");
        hive.advanceSeconds(1);
        assertThat(heard.calls).hasSize(3);
    }

    @Test
    void aClosedSubscriptionDeliversNothing() {
        String id = hive.spawnReady();
        Subscription following = follow(id);
        print(id, "one");

        following.close();
        hive.advance(TICK);
        hive.stop(id);

        assertThat(heard.calls).isEmpty();
    }

    @Test
    void aListenerMayCloseItsSubscription() {
        String id = hive.spawnReady();
        List<Subscription> own = new ArrayList<>();
        own.add(hive.supervisor.follow(
                id,
                line -> {
                    heard.onLine(line);
                    own.get(0).close();
                },
                Runnable::run));
        print(id, "one", "two");

        hive.advance(TICK);

        assertThat(heard.calls).containsExactly("one");
    }

    @Test
    void aListenerMayStopTheWorkerAndFollowAnother() {
        String id = hive.spawnReady();
        String other = hive.spawnReady();
        hive.supervisor.follow(
                id,
                line -> {
                    hive.stop(id);
                    follow(other);
                },
                Runnable::run);
        print(id, "give up");
        hive.advance(TICK);
        print(other, "two");
        hive.advance(TICK);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(heard.calls).containsExactly("two");
    }

    @Test
    void aSlowListenerGetsTheNumberOfDroppedLinesOnce() {
        String id = hive.spawnReady();
        List<Runnable> tasks = new ArrayList<>();
        hive.supervisor.follow(id, heard, tasks::add);
        for (int i = 0; i < OutputFollower.MAX_LINES + 30; i++) {
            print(id, "x");
        }
        hive.advance(TICK);
        print(id, "y", "y");
        hive.advance(TICK);
        runAll(tasks);
        print(id, "z");
        hive.advance(TICK);
        runAll(tasks);

        assertThat(heard.calls).hasSize(OutputFollower.MAX_LINES + 2).endsWith("x", "32 lines dropped", "z");
    }

    @Test
    void theQueueIsBoundedInCharacters() {
        String id = hive.spawnReady();
        List<Runnable> tasks = new ArrayList<>();
        hive.supervisor.follow(id, heard, tasks::add);
        for (int i = 0; i < 1_100; i++) {
            print(id, "x".repeat(1_000));
        }
        hive.advanceSeconds(1);
        runAll(tasks);

        assertThat(heard.calls).hasSize(1_049).last().isEqualTo("52 lines dropped");
    }

    private static void runAll(List<Runnable> tasks) {
        while (!tasks.isEmpty()) {
            tasks.remove(0).run();
        }
    }

    @Test
    void aListenerThatThrowsGetsTheNextLine() {
        String id = hive.spawnReady();
        hive.supervisor.follow(
                id,
                line -> {
                    heard.onLine(line);
                    throw new IllegalStateException("broken");
                },
                Runnable::run);
        UnexpectedWarnings.expect("the output listener");
        print(id, "one", "two");

        hive.advance(TICK);

        assertThat(heard.calls).containsExactly("one", "two");
    }

    @Test
    void linesStayQueuedWhileTheExecutorRefuses() {
        String id = hive.spawnReady();
        boolean[] full = {true};
        Executor executor = task -> {
            if (full[0]) {
                throw new RejectedExecutionException("full");
            }
            task.run();
        };
        hive.supervisor.follow(id, heard, executor);
        print(id, "one");
        hive.advanceSeconds(1);
        full[0] = false;
        hive.advance(TICK);

        assertThat(heard.calls).containsExactly("one");
    }

    @Test
    void anExecutorThatRefusesForAMinuteEndsTheSubscription() {
        String id = hive.spawnReady();
        boolean[] full = {true};
        hive.supervisor.follow(id, heard, task -> {
            if (full[0]) {
                throw new RejectedExecutionException("full");
            }
            task.run();
        });
        print(id, "one");
        UnexpectedWarnings.expect("is dropped: its executor has refused every task");
        hive.advance(Duration.ofSeconds(61));
        full[0] = false;
        print(id, "two");
        hive.advanceSeconds(1);

        assertThat(heard.calls).isEmpty();
    }

    @Test
    void anUnknownWorkerEndsTheSubscriptionAtOnce() {
        follow("unknown");

        assertThat(heard.calls).containsExactly("end");
    }

    @Test
    void severalFollowersEachGetTheLinesFromTheirStartOn() {
        String id = hive.spawnReady();
        Heard second = new Heard();
        follow(id);
        print(id, "one");
        hive.supervisor.follow(id, second, Runnable::run);
        print(id, "two");
        hive.advance(TICK);

        assertThat(heard.calls).containsExactly("one", "two");
        assertThat(second.calls).containsExactly("two");
    }

    @Test
    void unrecordedOutputIsRefused() {
        hive.processes.discardOutput();
        String id = hive.spawnReady();

        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> follow(id))
                .withMessageContaining("worker " + id + ": its output is not recorded");
    }

    @Test
    void aControllerThatCannotReadFromAnOffsetIsRefused() {
        VirtualHive other = new VirtualHive((self, builder) ->
                builder.processController(spec -> new ForwardingProcess(self.processes.start(spec)) {
                    @Override
                    public OptionalLong readOutput(long offset, ByteBuffer into) {
                        return OptionalLong.empty();
                    }
                }));
        String id = other.spawnReady();

        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> other.supervisor.follow(id, heard, Runnable::run))
                .withMessageContaining("does not implement readOutput");
    }
}
