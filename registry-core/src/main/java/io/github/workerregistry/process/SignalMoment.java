package io.github.workerregistry.process;

import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * The moment at which SIGTERM is sent to a tree. Processes that the tree starts afterwards, to clean up for example,
 * are not signalled while its root runs. They have the pids that the kernel assigned after that moment.
 */
final class SignalMoment {

    private final Reading<Long> lastPid;

    private SignalMoment(Reading<Long> lastPid) {
        this.lastPid = lastPid;
    }

    /**
     * The present moment.
     *
     * @throws UnreadableException if it cannot be read now
     */
    static SignalMoment now() {
        return new SignalMoment(readLastPid());
    }

    /**
     * Matches processes that were started before. Matches all where the system does not expose the last pid.
     *
     * @throws UnreadableException if it cannot be read now
     */
    Predicate<ProcessIdentity> isAfterStartOf() {
        LongPredicate startedLater = PidCursor.passed(lastPid, readLastPid());
        return process -> !startedLater.test(process.pid());
    }

    private static Reading<Long> readLastPid() {
        Reading<Long> pid = Proc.lastPid();
        if (pid.hasFailed()) {
            throw new UnreadableException("the last pid", null);
        }
        return pid;
    }
}
