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
 * Fails a test if the library logs a warning or an error that the test does not expect, or does not log one that it
 * expects.
 *
 * <pre>{@code
 * @ExtendWith(UnexpectedWarnings.class)              // JUnit
 * @AddLifecycleHook(UnexpectedWarnings.class)        // jqwik
 *
 * UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, "worker w");
 * }</pre>
 *
 * <p>Every test class of this module has it, so that it also starts the check of the run for {@link Leftovers}.
 *
 * <p>A warning that another thread logs after its test has ended fails the next test: tests end what they start. Tests
 * of one JVM must not run in parallel.
 */
@SuppressWarnings("exports") // a test class in an exported package; no user sees it
public final class UnexpectedWarnings implements BeforeAllCallback, AfterEachCallback, AroundPropertyHook {

    /** Default timeout of Awaitility: only a failing test waits so long, also on a busy machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final List<Expectation> expected = new CopyOnWriteArrayList<>();
    private static final Set<String> allowed = ConcurrentHashMap.newKeySet();
    private static final ListAppender<ILoggingEvent> logged = new ListAppender<>();

    static {
        logged.start();
        ((Logger) LoggerFactory.getLogger("io.github.workerregistry")).addAppender(logged);
        Awaitility.setDefaultTimeout(PATIENCE);
    }

    /** A message to expect. Without a logger and a level, any of them. */
    private record Expectation(Optional<String> logger, Optional<Level> level, String part) {
        boolean matches(ILoggingEvent event) {
            return logger.stream().allMatch(event.getLoggerName()::equals)
                    && level.stream().allMatch(event.getLevel()::equals)
                    && event.getFormattedMessage().contains(part);
        }

        @Override
        public String toString() {
            String source = logger.isPresent() ? level.orElseThrow() + " of " + logger.get() + ": " : "";
            return source + part;
        }
    }

    /** For JUnit and jqwik. */
    public UnexpectedWarnings() {}

    /**
     * The running test makes the library log these warnings, each once or more.
     *
     * @param partsOfMessages what the messages contain, one part each
     */
    public static void expect(String... partsOfMessages) {
        for (String part : partsOfMessages) {
            expected.add(new Expectation(Optional.empty(), Optional.empty(), part));
        }
    }

    /**
     * The running test makes a logger of the library log about these subjects, each once or more.
     *
     * @param owner the class of the logger
     * @param level the level of the messages
     * @param subjects what the messages name, such as a worker's id
     */
    public static void expect(Class<?> owner, Level level, String... subjects) {
        for (String subject : subjects) {
            expected.add(new Expectation(Optional.of(owner.getName()), Optional.of(level), subject));
        }
    }

    /**
     * The running test may make the library log these warnings; it depends on timing.
     *
     * @param partsOfMessages what the messages contain, one part each
     */
    public static void allow(String... partsOfMessages) {
        allowed.addAll(List.of(partsOfMessages));
    }

    /**
     * The first test class of a run starts the check for leftovers, unless the configuration parameter
     * {@code leftovers} is {@code ignored}, as in the build's profile {@code pit}, in which every test is a run.
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
        String faults = faults();
        if (!faults.isEmpty()) {
            throw new AssertionError(faults);
        }
    }

    /** A hook on a class applies to its properties only with this mode. */
    @Override
    public PropagationMode propagateTo() {
        return PropagationMode.ALL_DESCENDANTS;
    }

    @Override
    public PropertyExecutionResult aroundProperty(PropertyLifecycleContext context, PropertyExecutor property) {
        PropertyExecutionResult result = property.execute();
        String faults = faults();
        return faults.isEmpty() || result.status() == Status.FAILED ? result : result.mapToFailed(faults);
    }

    /** Lines that name each fault, or an empty text. Resets the expectations for the next test. */
    private static String faults() {
        List<String> culprits = new ArrayList<>();
        List<Expectation> missing = new ArrayList<>(expected);
        for (ILoggingEvent event : drainLogged()) {
            String message = event.getFormattedMessage();
            missing.removeIf(expectation -> expectation.matches(event));
            if (event.getLevel().isGreaterOrEqual(Level.WARN)
                    && expected.stream().noneMatch(expectation -> expectation.matches(event))
                    && allowed.stream().noneMatch(message::contains)) {
                culprits.add("unexpected " + event.getLevel() + " of " + event.getLoggerName() + ": " + message
                        + (event.getThrowableProxy() == null
                                ? ""
                                : "\n" + ThrowableProxyUtil.asString(event.getThrowableProxy())));
            }
        }
        missing.forEach(expectation -> culprits.add("expected warning was not logged: " + expectation));
        expected.clear();
        allowed.clear();
        return String.join("\n", culprits);
    }

    private static List<ILoggingEvent> drainLogged() {
        synchronized (logged) { // as AppenderBase.doAppend does
            List<ILoggingEvent> drained = List.copyOf(logged.list);
            logged.list.clear();
            return drained;
        }
    }
}
