package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A worker whose restart blocks in the controller, on a thread of its own, until the test lets it return. */
final class BlockedStart implements AfterEachCallback {

    private static final int PATIENCE_SECONDS = 20;

    final OnePort onePort = new OnePort();

    /** How many processes have been released. */
    final AtomicInteger released = new AtomicInteger();

    VirtualHive hive = onePort.hive();

    /** Wraps the process of the blocked start. */
    UnaryOperator<WorkerProcess> wrapper = UnaryOperator.identity();

    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final AtomicBoolean blockNext = new AtomicBoolean();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);

    /** Makes the hive and the worker, and blocks its first restart; gives the worker's id. */
    String begin() {
        return begin(VirtualHive.config());
    }

    String begin(LifecycleConfig.Builder config) {
        hive = onePort.hive((self, builder) -> builder.blockingExecutor(executor)
                .lifecycle(config.build())
                .processController(spec -> start(self, spec)));
        String id = OnePort.spawnCrashed(hive);
        blockNext.set(true);
        hive.advanceSeconds(1);
        awaitUninterruptibly(begun);
        assertThat(hive.state(id).label()).isEqualTo("loading");
        return id;
    }

    private WorkerProcess start(VirtualHive self, ProcessSpec spec) {
        if (!blockNext.getAndSet(false)) {
            return counted(self.processes.start(spec));
        }
        begun.countDown();
        awaitUninterruptibly(go);
        return wrapper.apply(counted(self.processes.start(spec)));
    }

    /** Lets the blocked start return, and waits until all that follows on its thread has been done. */
    void finish() throws InterruptedException {
        go.countDown();
        executor.shutdown();
        assertThat(executor.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .isTrue();
    }

    /** The same process, whose release is counted. */
    WorkerProcess counted(WorkerProcess process) {
        return new ForwardingProcess(process) {
            @Override
            public void release() {
                released.incrementAndGet();
            }
        };
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        finish();
    }
}
