package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerEvent;
import java.util.ArrayDeque;
import java.util.Deque;

/** The events of one worker that must be delivered next, in this order. */
final class ExpectedEvents {

    private final Deque<String> due = new ArrayDeque<>();

    /** Adds an event that must be delivered, of this generation. */
    void add(int generation, String event) {
        due.add("#" + generation + " " + event);
    }

    /** Adds an event that was delivered for a valid reason. */
    void add(WorkerEvent.OfWorker event) {
        due.add(text(event));
    }

    boolean isEmpty() {
        return due.isEmpty();
    }

    /** A delivered event must be the first of those expected. */
    void receive(WorkerEvent.OfWorker event, WorkerModel model) {
        assertThat(text(event)).as("event of %s", model).isEqualTo(due.poll());
    }

    void requireAllReceived(WorkerModel model) {
        assertThat(due).as("undelivered events of %s", model).isEmpty();
    }

    static String text(WorkerEvent.OfWorker event) {
        String name = "#" + event.worker().generation() + " " + event.getClass().getSimpleName();
        if (event instanceof WorkerEvent.Crashed crashed) {
            return name + " " + crashed.exit().cause();
        } else if (event instanceof WorkerEvent.RestartScheduled scheduled) {
            return name + " " + scheduled.attempt() + " " + scheduled.retryAt();
        } else if (event instanceof WorkerEvent.StopStarted stopping) {
            return name + " " + stopping.reason();
        } else if (event instanceof WorkerEvent.Removed removed) {
            return name + " " + removed.cause();
        }
        return name;
    }
}
