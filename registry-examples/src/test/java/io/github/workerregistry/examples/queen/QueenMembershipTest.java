package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.hive.Membership;
import io.github.workerregistry.examples.http.BoundAddress;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class QueenMembershipTest {

    private static final BoundAddress ADDRESS = new BoundAddress(InetAddress.getLoopbackAddress(), 8081);

    /** A program with the options of the membership, as the hive has them. */
    @Command
    private static final class Program {
        @Mixin
        private final QueenMembership membership = new QueenMembership();
    }

    private static QueenMembership parse(String... args) {
        Program program = new Program();
        new CommandLine(program).parseArgs(args);
        return program.membership;
    }

    /** Before it connects to anything. */
    @ParameterizedTest
    @CsvSource({
        "--queen, localhost",
        "--queen, a b:1",
        "--queen, localhost:99999",
        "--queen, localhost:2181/a//b",
        "--node, a/b",
        "--node, ..",
        "--advertise, gpu-box:8081",
        "--advertise, https://gpu-box:8081",
        "--advertise, http://gpu-box:65536",
        "--advertise, http://gpu-box:8081/v1",
        "--session-timeout, 100ms",
        "--publish-interval, 0s",
        "--publish-interval, 60000h",
    })
    void invalidMembershipIsRejectedWithTheNameOfItsOption(String option, String value) {
        String[] queen = {"--queen=127.0.0.1:1", option + "=" + value};
        String[] args = option.equals("--queen") ? new String[] {queen[1]} : queen;
        assertRejected(option, args);
    }

    /** Regression: they were accepted until a queen was named. */
    @ParameterizedTest
    @CsvSource({
        "--node, a/b",
        "--advertise, gpu-box:8081",
        "--session-timeout, 100ms",
        "--publish-interval, 60000h",
    })
    void invalidMembershipIsRejectedWithoutAQueenToo(String option, String value) {
        assertRejected(option, option + "=" + value);
    }

    private static void assertRejected(String option, String... args) {
        assertThatThrownBy(() -> parse(args).join(ADDRESS))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining(option);
    }

    @Test
    void hiveWithoutAQueenHasNoMembership() throws IOException {
        try (Membership.Place place = parse().join(ADDRESS)) {
            place.publish(WorkerRegistry.create()); // nowhere
        }
    }
}
