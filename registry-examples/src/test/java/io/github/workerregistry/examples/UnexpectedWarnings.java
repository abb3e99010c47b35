package io.github.workerregistry.examples;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * Fails a test if the library or the hive logs a warning or an error that its class does not announce with
 * {@link ExpectWarnings}. JUnit finds it as a service and puts it over every test of this module.
 *
 * <p>The tests of a class may share a hive, whose workers end when they like: so a class announces, and not a test.
 */
public final class UnexpectedWarnings implements BeforeAllCallback, AfterEachCallback {

    /** For what has to happen, on a machine that has other things to do; only a test that fails waits so long. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final List<ILoggingEvent> warnings = new CopyOnWriteArrayList<>();
    private static boolean listening;

    /** For JUnit. */
    public UnexpectedWarnings() {}

    @Override
    public void beforeAll(ExtensionContext context) {
        listen();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        List<String> culprits = culprits(context.getRequiredTestClass());
        if (!culprits.isEmpty()) {
            throw new AssertionError("unexpected: " + String.join("\n", culprits));
        }
    }

    private static synchronized void listen() {
        if (!listening) {
            listening = true;
            Awaitility.setDefaultTimeout(PATIENCE);
            AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
                @Override
                protected void append(ILoggingEvent event) {
                    if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
                        warnings.add(event);
                    }
                }
            };
            appender.start();
            ((Logger) LoggerFactory.getLogger("io.github.workerregistry")).addAppender(appender);
        }
    }

    /** What was logged and the class did not announce; and forgets all, for the next test. */
    static List<String> culprits(Class<?> test) {
        ExpectWarnings announced = test.getAnnotation(ExpectWarnings.class);
        List<String> expected = announced == null ? List.of() : List.of(announced.value());
        List<ILoggingEvent> logged = List.copyOf(warnings);
        warnings.removeAll(logged);
        return logged.stream()
                .filter(event -> expected.stream().noneMatch(event.getFormattedMessage()::contains))
                .map(event -> event.getLevel() + " of " + event.getLoggerName() + ": " + event.getFormattedMessage())
                .toList();
    }
}
