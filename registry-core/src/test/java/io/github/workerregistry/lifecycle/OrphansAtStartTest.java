package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.OrphanReport.Orphan;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class OrphansAtStartTest {

    private static final ProcessIdentity ANY_PROCESS = ProcessIdentity.of(ProcessHandle.current());
    private static final Orphan ORPHAN = new Orphan(ANY_PROCESS, ANY_PROCESS, "w", Optional.empty());
    private static final OrphanReport TWO = new OrphanReport(true, List.of(ORPHAN, ORPHAN), List.of());

    private final List<String> calls = new ArrayList<>();

    /** A hive with fake processes and a given report of orphans. */
    private VirtualHive hiveThatFinds(Supplier<OrphanReport> report) {
        FakeProcessController fakes = new FakeProcessController();
        return new VirtualHive(builder -> builder.processController(new ProcessController() {
            @Override
            public WorkerProcess start(ProcessSpec spec) {
                calls.add("start");
                return fakes.start(spec);
            }

            @Override
            public OrphanReport reapOrphans() {
                calls.add("reap");
                return report.get();
            }
        }));
    }

    @Test
    void orphansAreReapedOnceBeforeTheFirstSpawnAndReported() {
        VirtualHive hive = hiveThatFinds(() -> TWO);

        hive.spawnReady();
        hive.spawnReady();

        assertThat(calls).containsExactly("reap", "start", "start");
        assertThat(hive.supervisor.orphansAtStart()).isEqualTo(TWO);
        assertThat(hive.supervisor.orphansAtStart().ended()).hasSize(2);
    }

    @Test
    void aFailedSearchIsLoggedAndTheHiveStarts() {
        UnexpectedWarnings.expect("search for orphans of an earlier hive failed");
        VirtualHive hive = hiveThatFinds(() -> {
            throw new IllegalStateException("no /proc");
        });

        assertThat(hive.supervisor.orphansAtStart()).isEqualTo(OrphanReport.unsupported());
        assertThat(hive.spawnReady()).isNotEmpty();
    }

    @Test
    void aControllerWithoutASearchReportsUnsupported() {
        assertThat(new VirtualHive().supervisor.orphansAtStart().supported()).isFalse();
    }
}
