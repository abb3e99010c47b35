package io.github.workerregistry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import net.jqwik.api.lifecycle.AroundPropertyHook;
import net.jqwik.api.lifecycle.PropagationMode;
import net.jqwik.api.lifecycle.PropertyExecutionResult;
import net.jqwik.api.lifecycle.PropertyExecutionResult.Status;
import net.jqwik.api.lifecycle.PropertyExecutor;
import net.jqwik.api.lifecycle.PropertyLifecycleContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.slf4j.LoggerFactory;

/**
 * Fails a test if the library logs a warning or an error that the test did not announce, and if one that it did
 * announce never comes.
 *
 * <pre>{@code
 * @ExtendWith(UnexpectedWarnings.class)              // JUnit
 * @AddLifecycleHook(UnexpectedWarnings.class)        // jqwik
 *
 * UnexpectedWarnings.expect("listener failed");
 * }</pre>
 *
 * <p>Every test class of this module has it, so it also sees to it that the run leaves nothing: {@link Leftovers}.
 *
 * <p>A warning that another thread logs after its test has ended is held against the next test: tests end what they
 * start. Tests of one JVM must not run in parallel.
 */
@SuppressWarnings("exports") // a test class in an exported package; no user sees it
public final class UnexpectedWarnings implements BeforeAllCallback, AfterEachCallback, AroundPropertyHook {

    /** For what has to happen, on a machine that has other things to do; only a test that fails waits so long. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final List<String> expected = new CopyOnWriteArrayList<>();
    private static final Set<String> allowed = ConcurrentHashMap.newKeySet();
    private static final ListAppender<ILoggingEvent> logged = new ListAppender<>();

    static {
        logged.start();
        ((Logger) LoggerFactory.getLogger("io.github.workerregistry")).addAppender(logged);
        Awaitility.setDefaultTimeout(PATIENCE);
    }

    /** For JUnit and jqwik. */
    public UnexpectedWarnings() {}

    /**
     * Announces that the running test makes the library warn, once or more.
     *
     * @param partsOfMessages what the messages contain, one part each
     */
    public static void expect(String... partsOfMessages) {
        expected.addAll(List.of(partsOfMessages));
    }

    /**
     * Says which warnings the running test may make the library log, where chance decides whether it does.
     *
     * @param partsOfMessages what the messages contain, one part each
     */
    public static void allow(String... partsOfMessages) {
        allowed.addAll(List.of(partsOfMessages));
    }

    /**
     * The first test class of a run has it noted what is there, and the end of the run compares: unless the run is told
     * {@code leftovers=ignored}, as by the build's profile {@code pit}, to which every test is a run.
     */
    @Override
    public void beforeAll(ExtensionContext context) {
        if (!context.getConfigurationParameter("leftovers").equals(Optional.of("ignored"))) {
            Leftovers unused = context.getRoot()
                    .getStore(Namespace.create(Leftovers.class))
                    .computeIfAbsent(Leftovers.class, first -> new Leftovers(), Leftovers.class);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        String verdict = verdict();
        if (!verdict.isEmpty()) {
            throw new AssertionError(verdict);
        }
    }

    /** A hook on a class reaches its properties only if it says so. */
    @Override
    public PropagationMode propagateTo() {
        return PropagationMode.ALL_DESCENDANTS;
    }

    @Override
    public PropertyExecutionResult aroundProperty(PropertyLifecycleContext context, PropertyExecutor property) {
        PropertyExecutionResult result = property.execute();
        String verdict = verdict();
        return verdict.isEmpty() || result.status() == Status.FAILED ? result : result.mapToFailed(verdict);
    }

    /** What is wrong, in lines, or nothing; and forgets all, for the next test. */
    private static String verdict() {
        List<String> culprits = new ArrayList<>();
        List<String> missing = new ArrayList<>(expected);
        for (ILoggingEvent event : takeLogged()) {
            String message = event.getFormattedMessage();
            missing.removeIf(message::contains);
            if (event.getLevel().isGreaterOrEqual(Level.WARN)
                    && Stream.concat(expected.stream(), allowed.stream()).noneMatch(message::contains)) {
                culprits.add("unexpected " + event.getLevel() + " of " + event.getLoggerName() + ": " + message
                        + (event.getThrowableProxy() == null
                                ? ""
                                : "\n" + ThrowableProxyUtil.asString(event.getThrowableProxy())));
            }
        }
        missing.forEach(part -> culprits.add("expected a warning that did not come: " + part));
        expected.clear();
        allowed.clear();
        return String.join("\n", culprits);
    }

    private static List<ILoggingEvent> takeLogged() {
        synchronized (logged) { // as AppenderBase.doAppend does
            List<ILoggingEvent> taken = List.copyOf(logged.list);
            logged.list.clear();
            return taken;
        }
    }
}
