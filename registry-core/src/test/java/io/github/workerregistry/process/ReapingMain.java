package io.github.workerregistry.process;

import static io.github.workerregistry.process.HiveMain.OUT;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that runs in a worker, reaps the orphans of the given hive id once that worker's hive is dead, and keeps
 * running.
 */
final class ReapingMain {

    private ReapingMain() {}

    public static void main(String[] args) throws InterruptedException {
        Optional<Origin> origin =
                ProcessMark.observe(ProcessHandle.current().pid()).mark().flatMap(Origin::of);
        OUT.println(ProcessHandle.current().pid());
        OUT.println("ready");
        while (origin.filter(Origin::isOrphaned).isEmpty()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
        OrphanReport report = OrphanReaper.of(args[0]).reap();
        OUT.println("reaped " + report.ended().size() + ", remaining "
                + report.remaining().size());
        HiveMain.waitToBeKilled();
    }
}
