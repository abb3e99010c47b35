package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerEvent;
import java.util.ArrayDeque;
import java.util.Deque;

/** The events of one worker that must come next, in this order. */
final class ForetoldEvents {

    private final Deque<String> due = new ArrayDeque<>();

    /** An event that must come, of this generation. */
    void add(int generation, String event) {
        due.add("#" + generation + " " + event);
    }

    /** An event that has come, for a reason. */
    void add(WorkerEvent.OfWorker event) {
        due.add(text(event));
    }

    boolean isEmpty() {
        return due.isEmpty();
    }

    /** What has come must be the first of those that must come. */
    void hear(WorkerEvent.OfWorker event, ModelledLife whose) {
        assertThat(text(event)).as("event of %s", whose).isEqualTo(due.poll());
    }

    void requireAllTold(ModelledLife whose) {
        assertThat(due).as("what should have been told of %s", whose).isEmpty();
    }

    static String text(WorkerEvent.OfWorker event) {
        String name = "#" + event.worker().generation() + " " + event.getClass().getSimpleName();
        if (event instanceof WorkerEvent.Crashed crashed) {
            return name + " " + crashed.exit().cause();
        } else if (event instanceof WorkerEvent.RestartScheduled scheduled) {
            return name + " " + scheduled.attempt() + " " + scheduled.retryAt();
        } else if (event instanceof WorkerEvent.Stopping stopping) {
            return name + " " + stopping.reason();
        } else if (event instanceof WorkerEvent.Removed removed) {
            return name + " " + removed.reason();
        }
        return name;
    }
}
