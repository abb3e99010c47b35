package io.github.workerregistry.process;

import static io.github.workerregistry.process.HiveMain.FORKING;
import static io.github.workerregistry.process.HiveMain.PLAIN;
import static java.nio.file.StandardCopyOption.COPY_ATTRIBUTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.OrphanReport.Orphan;
import io.github.workerregistry.process.RealHives.Hive;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Which processes are killed after the death of a hive, and which are not. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class OrphanReaperIT {

    @RegisterExtension
    final RealHives hives;

    @RegisterExtension
    final LoggedLines logged = new LoggedLines();

    private final Path directory;
    private final String id = RealHives.newId();
    private final Origin here = Origin.here(id, "w", "it.1");

    OrphanReaperIT(@TempDir Path directory) {
        this.directory = directory;
        this.hives = new RealHives(directory);
    }

    @Test
    void orphansAreKilledAndWorkersOfLiveHivesAreNot() {
        Hive dead = hives.start(id, PLAIN, FORKING, PLAIN, FORKING);
        Hive sameId = hives.start(id, PLAIN, FORKING);
        Hive otherId = hives.start(RealHives.newId(), PLAIN, FORKING);
        List<ProcessIdentity> orphans = dead.members(8);
        List<ProcessIdentity> others = concat(sameId.members(4), otherId.members(4));
        ProcessIdentity hive = dead.identity();
        dead.kill();
        assertThat(orphans).allMatch(ProcessIdentity::isAlive);

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(orphans).noneMatch(ProcessIdentity::isAlive);
        assertThat(others).allMatch(ProcessIdentity::isAlive);
        assertThat(sameId.identity().isAlive()).isTrue();
        assertThat(otherId.identity().isAlive()).isTrue();
        assertThat(report.supported()).isTrue();
        assertThat(report.remaining()).isEmpty();
        assertThat(report.ended()).extracting(Orphan::process).containsAll(orphans);
        assertThat(report.ended()).extracting(Orphan::hive).containsOnly(hive);
        assertThat(report.ended())
                .extracting(Orphan::workerId)
                .contains("worker 0", "worker 1", "worker 2", "worker 3");
        assertThat(report.ended())
                .anyMatch(orphan ->
                        orphan.command().filter(path -> path.endsWith("sleep")).isPresent());
    }

    /** It has exited but is not reaped by its parent: it is still listed with its pid and start time. */
    @Test
    void zombieCountsAsADeadHive() {
        Hive hive = hives.startUnderANonReapingParent(id, PLAIN, FORKING);
        List<ProcessIdentity> orphans = hive.members(4);
        ProcessIdentity zombie = hive.identity();
        hive.kill();
        assertThat(ProcessIdentity.ofPid(zombie.pid())).hasValue(zombie);

        OrphanReaper.of(id).reap();

        assertThat(orphans).noneMatch(ProcessIdentity::isAlive);
    }

    @Test
    void processThatReusesThePidOfAHiveIsNotThatHive() {
        ProcessIdentity self = here.hive();
        ProcessHandle ofAnother =
                marked(startedBy(new ProcessIdentity(self.pid(), self.startTime() + 1, self.bootId())));
        ProcessHandle ofThisJvm = marked(here.mark());

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(RealProcesses.runs(ofAnother)).isFalse();
        assertThat(RealProcesses.runs(ofThisJvm)).isTrue();
        assertThat(report.ended()).extracting(orphan -> orphan.process().pid()).containsExactly(ofAnother.pid());
        assertThat(report.ended()).extracting(Orphan::workerId).containsExactly("w");
    }

    @Test
    void processesThatOnlyResembleOrphansAreNotKilled() {
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        String mark = startedBy(dead).value();
        List<ProcessHandle> similar = List.of(
                sleeping("X_WORKER_REGISTRY_MARK=" + mark),
                sleeping("X= WORKER_REGISTRY_MARK=" + mark),
                sleeping("WORKER_REGISTRY_MARK=" + mark + "/"),
                sleeping("WORKER_REGISTRY_MARK=x" + mark),
                sleeping("WORKER_REGISTRY_MARK="
                        + new Origin(id, dead, "1", "w", "it.1").mark().value()));

        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(report).isEqualTo(new OrphanReport(true, List.of(), List.of()));
        assertThat(similar).allMatch(RealProcesses::runs);
    }

    @Test
    void reportIsEmptyWithoutOrphans() {
        assertThat(OrphanReaper.of(id).reap()).isEqualTo(new OrphanReport(true, List.of(), List.of()));
    }

    /** A hive in a worker of a dead hive reaps the other workers, but neither itself nor the tree of its worker. */
    @Test
    void workerThatContainsTheCallerIsNotKilled() {
        Hive outer = hives.start(id, PLAIN, "reaping:" + id, FORKING);
        outer.members(7);
        RealHives.eventuallyPrinted(outer.outputOf(1), "ready");
        outer.kill();

        RealHives.eventuallyPrinted(outer.outputOf(1), "reaped 4, remaining 0");

        assertThat(outer.pidsOf(1)).hasSize(3).allMatch(OrphanReaperIT::runs);
        assertThat(outer.pidsOf(0)).hasSize(1).noneMatch(OrphanReaperIT::runs);
        assertThat(outer.pidsOf(2)).hasSize(3).noneMatch(OrphanReaperIT::runs);
    }

    /** Not a descendant of the worker, as after a double fork: only its own environment has the mark. */
    @Test
    void callerWithTheMarkOfADeadHiveIsNotKilled() {
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessHandle neighbour = marked(startedBy(dead));
        ProcessHandle orphan = marked(new Origin(id, dead, here.namespace(), "w", "it.2").mark());
        Path output = directory.resolve("caller.out");

        ProcessHandle caller = hives.startReaping(id, startedBy(dead), output);
        RealHives.eventuallyPrinted(output, "reaped 1, remaining 0");

        assertThat(caller.isAlive()).isTrue();
        assertThat(RealProcesses.runs(neighbour)).isTrue();
        assertThat(RealProcesses.runs(orphan)).isFalse();
    }

    @Test
    void orphanedHiveIsKilledWithItsWorkersAndItsPortIsFreed() throws IOException {
        Hive outer = hives.start(id, "hive:" + RealHives.newId());
        RealHives.eventuallyPrinted(outer.outputOf(0), "ready");
        List<ProcessIdentity> orphans = outer.members(5);
        int port = portIn(outer.outputOf(0));
        outer.kill();
        assertThat(orphans).allMatch(ProcessIdentity::isAlive);

        OrphanReaper.of(id).reap();

        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertThat(socket.isBound()).isTrue();
        }
        assertThat(orphans).noneMatch(ProcessIdentity::isAlive);
    }

    @Test
    void workersOfADeadInnerHiveAreOrphansOfTheInnerId() {
        String innerId = RealHives.newId();
        Hive outer = hives.start(id, "hive:" + innerId);
        RealHives.eventuallyPrinted(outer.outputOf(0), "ready");
        List<ProcessIdentity> orphans = outer.members(5);
        ProcessHandle inner = hives.processes().watch(outer.pidsOf(0).get(0));
        outer.kill();
        inner.destroyForcibly();
        await().until(() -> !RealProcesses.runs(inner));

        assertThat(OrphanReaper.of(id).reap().ended()).isEmpty();
        assertThat(orphans.stream().filter(ProcessIdentity::isAlive)).hasSize(4);

        assertThat(OrphanReaper.of(innerId).reap().ended()).hasSizeGreaterThanOrEqualTo(4);
        assertThat(orphans).noneMatch(ProcessIdentity::isAlive);
    }

    @Test
    void orphanThatSurvivesSigkillIsReported() {
        UnexpectedWarnings.expect("still runs PT0.05S after SIGKILL");
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessHandle orphan = marked(startedBy(dead));

        OrphanReport report = new OrphanReaper(id, Duration.ofMillis(50), unkillable -> true).reap();

        assertThat(report.ended()).isEmpty();
        assertThat(report.remaining()).extracting(left -> left.process().pid()).containsExactly(orphan.pid());
    }

    @Test
    void interruptedCallerWaitsAndStaysInterrupted() {
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        ProcessHandle orphan = marked(startedBy(dead));

        Thread.currentThread().interrupt();
        OrphanReport report = OrphanReaper.of(id).reap();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(report.ended()).hasSize(1);
        assertThat(RealProcesses.runs(orphan)).isFalse();
    }

    /** Workers choose the name of their program, and any process can set a mark. */
    @Test
    void textOfAnOrphanIsSanitisedInTheLog() throws IOException {
        Path sleep = Path.of("/bin/sleep").toRealPath();
        assumeTrue(sleep.endsWith("sleep"), "sleep is a program of its own, and can be copied under another name");
        Path program = Files.copy(sleep, directory.resolve("evil\nsleep"), COPY_ATTRIBUTES);
        ProcessIdentity dead =
                new ProcessIdentity(here.hive().pid(), 1, here.hive().bootId());
        String mark = new Origin(id, dead, here.namespace(), LoggedLines.EVIL, "it.1")
                .mark()
                .value();
        ProcessHandle orphan =
                hives.processes().start("env", "WORKER_REGISTRY_MARK=" + mark, program.toString(), "600");
        await().until(() ->
                orphan.info().command().filter(program.toString()::equals).isPresent());

        new OrphanReaper(id, Duration.ofMillis(50), unkillable -> true).reap();
        OrphanReaper.of(id).reap();

        assertThat(RealProcesses.runs(orphan)).isFalse();
        logged.assertWhole(2);
    }

    private ProcessMark startedBy(ProcessIdentity hive) {
        return new Origin(id, hive, here.namespace(), "w", "it.1").mark();
    }

    private ProcessHandle marked(ProcessMark mark) {
        ProcessHandle process = sleeping("WORKER_REGISTRY_MARK=" + mark.value());
        assertThat(ProcessMark.observe(process.pid()).mark()).isEqualTo(Optional.of(mark));
        return process;
    }

    private ProcessHandle sleeping(String variable) {
        ProcessHandle process = hives.processes().start("env", variable, "sleep", "600");
        await().until(() ->
                process.info().command().filter(path -> path.endsWith("sleep")).isPresent());
        return process;
    }

    private static boolean runs(long pid) {
        return ProcessIdentity.ofPid(pid).filter(ProcessIdentity::isAlive).isPresent();
    }

    private static int portIn(Path output) throws IOException {
        return Files.readAllLines(output).stream()
                .filter(line -> line.startsWith("port "))
                .mapToInt(line -> Integer.parseInt(line.substring("port ".length())))
                .findFirst()
                .orElseThrow();
    }

    private static <T> List<T> concat(List<T> one, List<T> two) {
        return Stream.concat(one.stream(), two.stream()).toList();
    }
}
