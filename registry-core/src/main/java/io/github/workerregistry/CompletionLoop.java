package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/**
 * Completes requests whose wait has ended, with no lock held: queued by the thread that ended them, and run by one loop
 * of that thread, never nested. So a chain of requests, each granted by the release in the completion of the one
 * before, does not deepen the stack, even on a direct executor. A completion that blocks delays those of its own thread
 * only.
 */
final class CompletionLoop {

    private static final ThreadLocal<CompletionLoop> CURRENT = new ThreadLocal<>();

    private @Nullable AsyncWaiter first;
    private @Nullable AsyncWaiter last;

    private CompletionLoop() {}

    /**
     * Completes a chain of requests: now, or in the loop of this thread if there is one.
     *
     * @param chain linked by {@code nextEnded}; null if it is empty
     */
    static void complete(@Nullable AsyncWaiter chain) {
        if (chain == null) {
            return;
        }
        CompletionLoop current = CURRENT.get();
        if (current != null) {
            current.add(chain);
        } else {
            around(() -> complete(chain));
        }
    }

    /** Runs an action; what its requests complete is completed after it. */
    static void around(Runnable action) {
        if (CURRENT.get() != null) {
            action.run();
            return;
        }
        CompletionLoop loop = new CompletionLoop();
        CURRENT.set(loop);
        try {
            action.run();
        } finally {
            loop.run();
        }
    }

    private void add(AsyncWaiter chain) {
        if (last == null) {
            first = chain;
        } else {
            last.nextEnded = chain;
        }
        AsyncWaiter end = chain;
        while (end.nextEnded != null) {
            end = end.nextEnded;
        }
        last = end;
    }

    private void run() {
        try {
            for (AsyncWaiter next = poll(); next != null; next = poll()) {
                next.complete();
            }
        } finally {
            CURRENT.remove();
        }
    }

    private @Nullable AsyncWaiter poll() {
        AsyncWaiter next = first;
        if (next != null) {
            first = next.nextEnded;
            next.nextEnded = null;
            if (first == null) {
                last = null;
            }
        }
        return next;
    }
}
