package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.ForeignText;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.OrphanReport.Orphan;
import java.util.stream.Stream;

/** The lines that the hive prints about orphans of its earlier run. */
final class OrphanLines {

    private OrphanLines() {}

    static Stream<String> of(OrphanReport report) {
        return Stream.concat(
                report.ended().stream().map(orphan -> "Reaped " + describe(orphan)),
                report.remaining().stream().map(orphan -> "Could not kill " + describe(orphan)));
    }

    private static String describe(Orphan orphan) {
        return "process " + orphan.process().pid() + " ("
                + ForeignText.sanitised(orphan.command().orElse("unknown program")) + ") of worker "
                + ForeignText.sanitised(orphan.workerId()) + ", left behind by hive process "
                + orphan.hive().pid() + ".";
    }
}
