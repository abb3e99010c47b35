package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeUnit;

/**
 * Fills the JDK's common pool with tasks that block, until this is closed.
 *
 * <p>On one or two processors, JDK 17 starts a thread for every task in place of using the pool; the build sets its
 * parallelism to two.
 */
final class FullCommonPool implements AutoCloseable {

    private final CountDownLatch release = new CountDownLatch(1);
    private final List<ForkJoinTask<?>> blocked = new ArrayList<>();

    FullCommonPool() {
        for (int i = 0; i < 64; i++) {
            blocked.add(ForkJoinPool.commonPool().submit(() -> release.await(60, TimeUnit.SECONDS)));
        }
    }

    /** Otherwise the test would show nothing. */
    void assertStillFull() {
        assertThat(blocked).as("the pool is still full").noneMatch(ForkJoinTask::isDone);
    }

    @Override
    public void close() {
        release.countDown();
        blocked.forEach(ForkJoinTask::join);
    }
}
