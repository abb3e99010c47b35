package io.github.workerregistry.pool;

import static org.awaitility.Awaitility.await;

import io.github.workerregistry.process.ProcessController;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;

/** The first start of a process hangs, on a thread of its own, until it is released. */
final class HungStarts implements Executor {

    private final CountDownLatch started = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile Thread first;

    ProcessController around(ProcessController processes) {
        return spec -> {
            if (Thread.currentThread() == first) {
                started.countDown();
                awaitUninterruptibly(released);
            }
            return processes.start(spec);
        };
    }

    void awaitStart() {
        awaitUninterruptibly(started);
    }

    /** The start returns, and what follows on its thread ends. */
    void release() {
        released.countDown();
        await().until(() -> !first.isAlive());
    }

    @Override
    public void execute(Runnable command) {
        if (first == null) {
            first = new Thread(command, "hung start");
            first.start();
        } else {
            command.run();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
