package io.github.workerregistry;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Waiters by deadline, the earliest first: a binary heap. Each waiter knows its index, so that removal takes
 * logarithmic time. Deadlines are compared by their difference, because their origin is arbitrary. Not thread-safe.
 */
final class DeadlineHeap {

    /** The index of a waiter that is not in a heap. */
    static final int ABSENT = -1;

    private @Nullable Waiter[] heap = new Waiter[16];
    private int size;

    int size() {
        return size;
    }

    /** The waiter with the earliest deadline; null if there is none. */
    @Nullable
    Waiter first() {
        return heap[0];
    }

    void add(Waiter waiter) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        siftUp(size++, waiter);
    }

    /** Removes a waiter; it need not be here. */
    void remove(Waiter waiter) {
        int index = waiter.heapIndex;
        if (index == ABSENT) {
            return;
        }
        waiter.heapIndex = ABSENT;
        Waiter moved = heap[--size];
        heap[size] = null;
        if (moved == null || index == size) {
            return; // it was the last one
        }
        siftDown(index, moved);
        if (moved.heapIndex == index) {
            siftUp(index, moved);
        }
    }

    private void siftUp(int from, Waiter waiter) {
        int index = from;
        while (index > 0) {
            int above = (index - 1) >>> 1;
            Waiter parent = heap[above];
            if (parent == null || parent.deadline - waiter.deadline <= 0) {
                break;
            }
            put(index, parent);
            index = above;
        }
        put(index, waiter);
    }

    private void siftDown(int from, Waiter waiter) {
        int index = from;
        while (2 * index + 1 < size) {
            int below = 2 * index + 1;
            Waiter child = heap[below];
            Waiter right = below + 1 < size ? heap[below + 1] : null;
            if (right != null && child != null && right.deadline - child.deadline < 0) {
                child = right;
                below++;
            }
            if (child == null || waiter.deadline - child.deadline <= 0) {
                break;
            }
            put(index, child);
            index = below;
        }
        put(index, waiter);
    }

    private void put(int index, Waiter waiter) {
        heap[index] = waiter;
        waiter.heapIndex = index;
    }
}
