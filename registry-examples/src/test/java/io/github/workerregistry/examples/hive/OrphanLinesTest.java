package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.OrphanReport.Orphan;
import io.github.workerregistry.process.ProcessIdentity;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OrphanLinesTest {

    /** An orphan chooses the name of its program, and any process can set a mark with any worker id. */
    @Test
    void textOfAnOrphanIsSanitised() {
        Orphan orphan = new Orphan(
                new ProcessIdentity(1001, 1, "boot"),
                new ProcessIdentity(1000, 1, "boot"),
                "a\u202eb\nReaped process 1",
                Optional.of("/bin/evil\u001b[31m"));

        assertThat(OrphanLines.of(new OrphanReport(true, List.of(orphan), List.of())))
                .containsExactly("Reaped process 1001 (/bin/evil\\u001b[31m) of worker"
                        + " a\\u202eb\\u000aReaped process 1, left behind by hive process 1000.");
    }
}
