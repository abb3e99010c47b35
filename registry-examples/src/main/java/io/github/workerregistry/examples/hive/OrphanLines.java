package io.github.workerregistry.examples.hive;

import io.github.workerregistry.LogText;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.OrphanReport.Orphan;
import java.util.stream.Stream;

/** What the hive prints about the processes that an earlier run of it had left running. */
final class OrphanLines {

    private OrphanLines() {}

    static Stream<String> of(OrphanReport report) {
        return Stream.concat(
                report.ended().stream().map(orphan -> "Reaped " + describe(orphan)),
                report.remaining().stream().map(orphan -> "Could not end " + describe(orphan)));
    }

    private static String describe(Orphan orphan) {
        return "process " + orphan.process().pid() + " ("
                + LogText.of(orphan.command().orElse("unknown program")) + ") of worker "
                + LogText.of(orphan.workerId()) + ", left behind by hive process "
                + orphan.hive().pid() + ".";
    }
}
