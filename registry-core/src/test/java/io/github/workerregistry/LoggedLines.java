package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** All that the library logs in a test, on any level, to check that text from outside is sanitised. */
@SuppressWarnings("exports") // a test class in an exported package; no user sees it
public final class LoggedLines implements BeforeEachCallback, AfterEachCallback {

    /** Text that would forge a log entry, break a line in every way, colour a terminal, and hide or reverse text. */
    public static final String EVIL = "evil\r\n2026-01-01 00:00:00 ERROR forged\u0085a\u2028b\u2029c\u001b[31md\0"
            + "\u202ee\u200bf\u2066g\ufeffh";

    private static final Logger LIBRARY = (Logger) LoggerFactory.getLogger("io.github.workerregistry");

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();

    /** For JUnit. */
    public LoggedLines() {}

    @Override
    public void beforeEach(ExtensionContext context) {
        logged.start();
        LIBRARY.setLevel(Level.TRACE);
        LIBRARY.addAppender(logged);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        LIBRARY.detachAppender(logged);
        LIBRARY.setLevel(null);
    }

    /**
     * Fails if a message, or the message of a logged exception, is not one line. Expects any warnings.
     *
     * @param leastEvil how many of them, at least, must contain {@link #EVIL}; without them, the test could not fail
     */
    public void assertWhole(int leastEvil) {
        UnexpectedWarnings.expect("");
        List<String> said = said();
        assertThat(said)
                .isNotEmpty()
                .allSatisfy(line ->
                        assertThat(line).doesNotContainPattern("[\\p{Cntrl}\\p{Cf}\\p{Cs}\u0085\u2028\u2029&&[^\t]]"));
        assertThat(said).filteredOn(line -> line.contains("evil")).hasSizeGreaterThanOrEqualTo(leastEvil);
    }

    /**
     * The logged messages.
     *
     * @return each message, and after it those of its exception
     */
    public List<String> said() {
        List<String> said = new ArrayList<>();
        synchronized (logged) { // as AppenderBase.doAppend does
            for (ILoggingEvent event : logged.list) {
                said.add(event.getFormattedMessage());
                addAll(said, event.getThrowableProxy());
            }
        }
        return said;
    }

    /**
     * The messages logged at one level.
     *
     * @param level the level
     * @return each message, without exceptions
     */
    public List<String> said(Level level) {
        synchronized (logged) {
            return logged.list.stream()
                    .filter(event -> event.getLevel() == level)
                    .map(ILoggingEvent::getFormattedMessage)
                    .toList();
        }
    }

    /**
     * The loggers that logged.
     *
     * @return their names
     */
    public Set<String> loggers() {
        synchronized (logged) {
            return logged.list.stream().map(ILoggingEvent::getLoggerName).collect(Collectors.toSet());
        }
    }

    private static void addAll(List<String> said, IThrowableProxy failure) {
        if (failure != null) {
            said.add(String.valueOf(failure.getMessage()));
            addAll(said, failure.getCause());
            Stream.of(failure.getSuppressed()).forEach(suppressed -> addAll(said, suppressed));
        }
    }
}
