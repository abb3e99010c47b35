package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.LoggedLines.EVIL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Texts of callers, workers and foreign code are sanitised before they are logged: each stays within its line and
 * contains no control characters. All levels are checked, through whole life cycles of workers.
 */
@ExtendWith(UnexpectedWarnings.class)
class LogInjectionTest {

    @RegisterExtension
    private final LoggedLines logged = new LoggedLines();

    /** An exception with the text in every place that an exception has. */
    private static RuntimeException evil() {
        RuntimeException failure = new UncheckedIOException(EVIL, new IOException(EVIL, new AssertionError(EVIL)));
        failure.addSuppressed(new IllegalStateException(EVIL));
        return failure;
    }

    // --- what is logged

    @Test
    void anExceptionWithoutControlCharactersIsLoggedUnchanged() {
        RuntimeException failure = new IllegalStateException("a\tb", new IOException());

        failure.addSuppressed(new IOException("c"));

        assertThat(LogText.of(failure)).isSameAs(failure);
        assertThat(LogText.of("a\tb \u00e9 \ud83d\ude00 {} %n ${x}")).isEqualTo("a\tb \u00e9 \ud83d\ude00 {} %n ${x}");
    }

    @Test
    void invisibleCharactersAreEscaped() {
        assertThat(LogText.of("a\u202eb\u200bc\ufeffd\u00ade\ufe0ff\u115fg\ud800h\udb40\udc41i"))
                .isEqualTo("a\\u202eb\\u200bc\\ufeffd\\u00ade\\ufe0ff\\u115fg\\ud800h\\udb40\\udc41i");
        assertThat(LogText.of("\ud83d\udc4d\ud83c\udffd \u6a21\u578b e\u0301 \ue000"))
                .isEqualTo("\ud83d\udc4d\ud83c\udffd \u6a21\u578b e\u0301 \ue000");
        assertThat(LogText.describe(new IOException("a\u2066b"))).isEqualTo("java.io.IOException: a\\u2066b");
    }

    @Test
    void anExceptionWithControlCharactersIsReplacedByASanitisedOneWithItsStack() {
        RuntimeException failure = new IllegalStateException("a\nb", new IOException("c\u2028d"));
        failure.addSuppressed(failure.getCause());

        Throwable sanitised = LogText.of(failure);

        assertThat(sanitised).hasMessage("java.lang.IllegalStateException: a\\u000ab");
        assertThat(sanitised.getCause()).hasMessage("java.io.IOException: c\\u2028d");
        assertThat(sanitised.getStackTrace()).isEqualTo(failure.getStackTrace());
    }

    @Test
    void controlCharactersInCausesAndSuppressedExceptionsAreSanitised() {
        RuntimeException caused = new IllegalStateException("a", new IOException("c\u2028d"));
        RuntimeException suppressing = new IllegalStateException("a", new IOException("c"));
        suppressing.addSuppressed(new IOException("c\u2028d"));

        assertThat(LogText.of(caused).getCause()).hasMessage("java.io.IOException: c\\u2028d");
        assertThat(LogText.of(suppressing).getSuppressed())
                .singleElement()
                .satisfies(sanitised -> assertThat(sanitised).hasMessage("java.io.IOException: c\\u2028d"));
    }

    @Test
    void anExceptionWithoutAReadableMessageIsLoggedByItsClass() {
        class Unreadable extends RuntimeException {
            @Override
            public String getMessage() {
                throw new IllegalStateException("no message");
            }
        }

        assertThat(LogText.of(new Unreadable())).hasMessageContaining("Unreadable (its message cannot be read)");
    }

    @Test
    void aCyclicOrVeryLongChainOfCausesIsLogged() {
        RuntimeException failure = new IllegalStateException("a\nb");
        Exception cause = new IOException("c", failure);
        failure.initCause(cause);
        assertThat(LogText.of(failure).getCause())
                .hasMessage("java.io.IOException: c")
                .hasNoCause();

        Throwable deep = new IllegalStateException("a\nb");
        for (int i = 0; i < 100_000; i++) {
            deep = new IllegalStateException("deep", deep);
        }
        assertThat(LogText.of(deep)).hasMessage("java.lang.IllegalStateException: deep");
    }

    // --- lives

    /** Names contain no line breaks; what looks like a pattern of a logger is not changed. */
    @Test
    void aNameIsLoggedUnchanged() {
        String odd = "evil {} %n ${jndi:ldap://x} \\n \u00e9";
        VirtualHive hive = new VirtualHive();
        hive.supervisor.spawn(WorkerSpec.builder()
                .id(odd)
                .modelRef(odd)
                .backend(odd)
                .command("serve", EVIL.replace("\0", "")) // which is refused in all of them
                .parameter("p", EVIL.replace("\0", ""))
                .environment("E", EVIL.replace("\0", ""))
                .url("http://fake")
                .build());
        hive.supervisor.reportReady(odd);
        hive.processes.print(odd, EVIL);
        hive.supervisor.stop(odd);

        assertThat(logged.said())
                .contains(
                        "worker " + odd + " (" + odd + ", generation 1) is loading, pid 1001",
                        "worker " + odd + " (" + odd + ", generation 1) is ready: it called back");
        logged.assertWhole(4);
        assertThat(hive.supervisor.recentExits().get(0).output())
                .singleElement()
                .asString()
                .doesNotContainPattern("\\p{Cntrl}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"unhealthy", "unknown", "throws", "fails"})
    void theResultOfAProbeIsSanitised(String how) {
        HealthProbe probe = (worker, timeout) -> switch (how) {
            case "unhealthy" -> CompletableFuture.completedFuture(HealthStatus.unhealthy(EVIL));
            case "unknown" -> CompletableFuture.completedFuture(HealthStatus.unknown(EVIL));
            case "fails" -> CompletableFuture.failedFuture(evil());
            default -> throw evil();
        };
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe(probe));
        hive.spawnReady();

        hive.advance(Duration.ofMinutes(5));

        logged.assertWhole(3);
    }

    /**
     * Every method of every process throws, and so do the stop request, the executor and the listener with its
     * executor.
     */
    @Test
    void exceptionsOfForeignCodeAreSanitised() {
        AtomicInteger calls = new AtomicInteger();
        Executor blocking = task -> {
            if (calls.getAndIncrement() % 2 == 0) {
                throw evil();
            }
            task.run();
            throw evil();
        };
        VirtualHive hive = new VirtualHive((self, builder) -> builder.restartPolicy(
                        RestartPolicy.builder().jitter(0).build())
                .blockingExecutor(blocking)
                .stopRequest(worker -> {
                    throw evil();
                })
                .processController(new ProcessController() {
                    @Override
                    public WorkerProcess start(ProcessSpec spec) {
                        return evil(self.processes.start(spec));
                    }

                    @Override
                    public OrphanReport reapOrphans() {
                        throw LogInjectionTest.evil();
                    }
                }));
        hive.registry.subscribe(
                event -> {
                    throw evil();
                },
                Runnable::run);
        hive.registry.subscribe(event -> {}, task -> {
            throw evil();
        });

        String id = hive.spawnReady();
        hive.advanceSeconds(2);
        hive.processes.exit(id, 1);
        hive.advanceSeconds(10);
        hive.supervisor.stop(id);
        hive.advanceSeconds(60);

        logged.assertWhole(50);
    }

    private static WorkerProcess evil(WorkerProcess whole) {
        return (WorkerProcess) Proxy.newProxyInstance(
                WorkerProcess.class.getClassLoader(), new Class<?>[] {WorkerProcess.class}, (proxy, called, args) -> {
                    if (called.getName().equals("identity") || called.getName().equals("onExit")) {
                        return called.invoke(whole, args);
                    }
                    throw evil();
                });
    }

    @Test
    void theReasonOfAFailedStartIsSanitised() {
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnReady();
        for (int i = 0; i < 3; i++) {
            hive.processes.failNextStart(EVIL);
            hive.processes.exit(id, 1);
            hive.advanceSeconds(10);
        }
        hive.processes.failNextStart(EVIL);
        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(SpawnException.class);

        logged.assertWhole(0);
        assertThat(hive.supervisor.recentExits())
                .filteredOn(exit -> exit.output().toString().contains("evil"))
                .isNotEmpty()
                .allSatisfy(exit -> assertThat(exit.output().get(0)).doesNotContainPattern("\\p{Cntrl}"));
    }

    @Test
    void exceptionsOfTheClockAreSanitised() {
        VirtualTime time = new VirtualTime();
        AtomicReference<RuntimeException> failure = new AtomicReference<>();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(() -> {
                    if (failure.get() != null) {
                        throw failure.get();
                    }
                    return time.instant();
                })
                .build();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .build();
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        failure.set(evil());

        supervisor.stop(id);
        time.advance(Duration.ofSeconds(1));

        logged.assertWhole(1);
    }

    /** Servers put the current request into the names of their threads. */
    @Test
    void theThreadNameOfALeakedLeaseIsSanitised() throws InterruptedException {
        VirtualTime time = new VirtualTime();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(time)
                .leaseLeakThreshold(Duration.ofSeconds(1))
                .build();
        registry.register(WorkerInfo.builder()
                .id("w")
                .url("http://fake")
                .modelRef("m")
                .startedAt(time.instant())
                .state(new Idle())
                .build());
        AtomicReference<SlotLease> lease = new AtomicReference<>();
        Thread thread = new Thread(() -> lease.set(registry.tryAcquire("m").orElseThrow()), "GET /" + EVIL);
        thread.start();
        thread.join();

        time.advance(Duration.ofSeconds(2));
        registry.supervision().reportLeaks();
        lease.get().close();

        logged.assertWhole(1);
    }

    // --- what is thrown

    static Stream<Arguments> refusals() {
        String text = EVIL.repeat(100);
        HttpClient client = HttpClient.newHttpClient();
        return Stream.of(
                refusal("NoSuchWorkerException", () -> {
                    throw new NoSuchWorkerException(text);
                }),
                refusal("DuplicateWorkerException", () -> {
                    throw new DuplicateWorkerException(text);
                }),
                refusal("HttpHealthProbe without /", () -> HttpHealthProbe.at(text)),
                refusal("HttpHealthProbe", () -> HttpHealthProbe.at("/" + text)),
                refusal("StopRequest without /", () -> StopRequest.post(text, client)),
                refusal("StopRequest", () -> StopRequest.post("/" + text, client)),
                refusal("label", () -> WorkerSpec.builder().label(text, missing())),
                refusal("parameter", () -> WorkerSpec.builder().parameter(text, missing())),
                refusal("environment", () -> WorkerSpec.builder().environment(text, missing())),
                refusal("parameter name", () -> spec().parameter(text, "x").build()),
                refusal(
                        "environment name",
                        () -> spec().environment(text + "{id}", "x").build()));
    }

    private static Arguments refusal(String what, ThrowingCallable call) {
        return Arguments.of(Named.of(what, call));
    }

    private static WorkerSpec.Builder spec() {
        return WorkerSpec.builder().modelRef("m").command("serve");
    }

    @SuppressWarnings("NullAway") // a caller's mistake
    private static String missing() {
        return null;
    }

    /** Regression: messages had the caller's text as it was, control characters included, at any length. */
    @ParameterizedTest
    @MethodSource("refusals")
    void textsInMessagesAreSanitisedAndBounded(ThrowingCallable call) {
        assertThatThrownBy(call).satisfies(refused -> {
            assertThat(refused.getMessage()).contains("forged").hasSizeLessThan(800);
            assertThat(LogText.of(refused.getMessage())).isEqualTo(refused.getMessage());
        });
    }
}
