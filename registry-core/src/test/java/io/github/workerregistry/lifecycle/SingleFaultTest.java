package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * The hive's clock, or its log, fails once: at the first call after an exit or a stop, then, with a new hive, at the
 * second call, and so on. Regression: the step in progress was left incomplete, an exited worker was leased, and a
 * shutdown did not complete.
 */
@ExtendWith(UnexpectedWarnings.class)
class SingleFaultTest {

    private static final WorkerSpec SPEC = WorkerSpec.builder()
            .id("w")
            .modelRef("tiny")
            .command("serve")
            .url("http://127.0.0.1:1")
            .build();

    /** More calls than a step makes; the last ones are made by the loops. */
    private static final int CALLS = 40;

    enum Step {
        CRASH,
        STOP,
        FORCE_KILL,
        RESTART,
        SHUTDOWN
    }

    private final FailingClock clock = new FailingClock();
    private final FailingLog failingLog = new FailingLog();

    /** Fails at one call. */
    private abstract static class Countdown {
        private int left = -1;

        void failAt(int call) {
            left = call;
        }

        void call() {
            if (left >= 0 && left-- == 0) {
                throw new IllegalStateException("once");
            }
        }
    }

    private static final class FailingClock extends Countdown implements InstantSource {
        private InstantSource source;

        @Override
        public Instant instant() {
            call();
            return source.instant();
        }
    }

    private static final class FailingLog extends Countdown {
        private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        private final TurboFilter filter = new TurboFilter() {
            @Override
            public FilterReply decide(
                    Marker marker,
                    ch.qos.logback.classic.Logger logger,
                    Level level,
                    String format,
                    Object[] params,
                    Throwable t) {
                if (level.isGreaterOrEqual(Level.INFO)) {
                    call();
                }
                return FilterReply.NEUTRAL;
            }
        };

        FailingLog() {
            context.addTurboFilter(filter);
        }

        void remove() {
            context.getTurboFilterList().remove(filter);
        }
    }

    @AfterEach
    void mendTheLog() {
        failingLog.remove();
    }

    @ParameterizedTest
    @EnumSource
    void aClockThatFailsOnceLeavesNoStepIncomplete(Step step) {
        failingAtEachCall(step, clock);
    }

    @ParameterizedTest
    @EnumSource
    void aLogThatFailsOnceLeavesNoStepIncomplete(Step step) {
        failingAtEachCall(step, failingLog);
    }

    private void failingAtEachCall(Step step, Countdown failing) {
        UnexpectedWarnings.allow("");
        for (int call = 0; call < CALLS; call++) {
            takeStep(step, failing, call);
        }
    }

    private void takeStep(Step step, Countdown failing, int call) {
        VirtualTime time = new VirtualTime();
        clock.source = time;
        FakeProcessController processes = new FakeProcessController();
        WorkerRegistry registry = WorkerRegistry.builder().clock(clock).build();
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                .build()) {
            supervisor.spawn(SPEC);
            supervisor.reportReady("w");
            failing.failAt(call);
            try {
                switch (step) {
                    case CRASH -> processes.exit("w", 1);
                    case STOP -> supervisor.stop("w");
                    case FORCE_KILL -> supervisor.forceKill("w");
                    case RESTART -> supervisor.restart("w");
                    case SHUTDOWN -> supervisor.shutdown(Duration.ofSeconds(5));
                }
            } catch (IllegalStateException once) {
                assertThat(once).hasMessage("once");
            }
            time.advance(Duration.ofSeconds(20));
            failing.failAt(-1);

            boolean goesOn = step == Step.CRASH || step == Step.RESTART;
            assertThat(registry.list()).as("records, call %d", call).hasSize(goesOn ? 1 : 0);
            assertThat(processes.running()).as("processes, call %d", call).hasSize(goesOn ? 1 : 0);
            assertThat(registry.list())
                    .as("call %d", call)
                    .allSatisfy(worker -> assertThat(worker).satisfies(SingleFaultTest::isTheNextGeneration));
        }
    }

    private static void isTheNextGeneration(WorkerInfo worker) {
        assertThat(worker.generation()).isGreaterThan(1);
        assertThat(worker.state()).isNotInstanceOf(BackingOff.class);
    }
}
