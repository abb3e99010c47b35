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
 * Fails a test if the library or the hive logs a warning or an error that its class does not expect with
 * {@link ExpectWarnings}. JUnit loads it as a service for every test of this module.
 *
 * <p>The tests of a class may share a hive, whose workers exit at any time: so warnings are expected per class, not per
 * test.
 */
public final class UnexpectedWarnings implements BeforeAllCallback, AfterEachCallback {

    /** The timeout on a loaded machine; only a failing test waits that long. */
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
        List<String> unexpected = unexpected(context.getRequiredTestClass());
        if (!unexpected.isEmpty()) {
            throw new AssertionError("unexpected: " + String.join("\n", unexpected));
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

    /** The logged warnings that the class does not expect. Clears the log for the next test. */
    static List<String> unexpected(Class<?> test) {
        ExpectWarnings annotation = test.getAnnotation(ExpectWarnings.class);
        List<String> expected = annotation == null ? List.of() : List.of(annotation.value());
        List<ILoggingEvent> logged = List.copyOf(warnings);
        warnings.removeAll(logged);
        return logged.stream()
                .filter(event -> expected.stream().noneMatch(event.getFormattedMessage()::contains))
                .map(event -> event.getLevel() + " of " + event.getLoggerName() + ": " + event.getFormattedMessage())
                .toList();
    }
}
