package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ProcessIdentityIT {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @Test
    void processIsAliveUntilKilled() {
        ProcessHandle process = processes.start("sleep", "600");
        ProcessIdentity identity = ProcessIdentity.of(process);
        assertThat(identity.isAlive()).isTrue();

        process.destroyForcibly();

        await().untilAsserted(() -> assertThat(identity.isAlive()).isFalse());
        await().untilAsserted(
                        () -> assertThat(ProcessIdentity.ofPid(identity.pid())).isEmpty());
    }

    @Test
    void identityOfAnExitedHandleIsNotAlive() {
        ProcessHandle process = processes.start("true");
        await().until(() -> !process.isAlive());

        ProcessIdentity identity = ProcessIdentity.of(process);

        assertThat(identity.pid()).isEqualTo(process.pid());
        assertThat(identity.startTime()).isZero();
        assertThat(identity.isAlive()).isFalse();
    }

    @Test
    void zombieIsNotAlive() {
        // The shell execs sleep, which never reaps the child of the shell.
        ProcessHandle parent = processes.start("sh", "-c", "sleep 0 & exec sleep 600");
        ProcessHandle zombie = await().until(() -> parent.children().findFirst(), Optional::isPresent)
                .orElseThrow();

        await().until(() ->
                Proc.stat(zombie.pid()).value().filter(Proc.Stat::isZombie).isPresent());

        assertThat(zombie.isAlive()).isTrue(); // according to the JDK
        assertThat(ProcessIdentity.of(zombie).isAlive()).isFalse();
    }

    @Test
    void programNameMayContainParenthesesAndSpaces(@TempDir Path directory) throws IOException {
        Path program = Files.copy(Path.of("/bin/sleep"), directory.resolve("a) Z 1 (b"));
        ProcessHandle process = processes.start(program.toString(), "600");

        ProcessIdentity identity = ProcessIdentity.of(process);

        assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/comm")))
                .isEqualTo("a) Z 1 (b\n");
        assertThat(identity.isAlive()).isTrue();
        assertThat(identity.startTime())
                .isGreaterThanOrEqualTo(
                        ProcessIdentity.of(ProcessHandle.current()).startTime());
    }

    @Test
    void statFieldsAreReadAtTheirPositions() {
        ProcessHandle process = processes.start("sleep", "600");

        Proc.Stat stat = Proc.stat(process.pid()).value().orElseThrow();

        assertThat(stat.environmentEnd() - stat.environmentStart())
                .isEqualTo(Proc.environment(Long.toString(process.pid()))
                        .value()
                        .orElseThrow()
                        .length());
        assertThat(stat.memory()).isPositive();
    }
}
