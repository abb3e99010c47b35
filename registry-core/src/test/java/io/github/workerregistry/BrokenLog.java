package io.github.workerregistry;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import org.slf4j.LoggerFactory;

/** Makes the logging of one class fail, as without memory for it. */
public final class BrokenLog implements AutoCloseable {

    private final Logger logger;
    private final Broken broken = new Broken();

    private static final class Broken extends AppenderBase<ILoggingEvent> {
        @Override
        protected void append(ILoggingEvent event) {
            throw new Error("no memory for the log"); // JUnit ends the run at an OutOfMemoryError
        }
    }

    /** The logging fails until this is closed. */
    public BrokenLog(Class<?> owner) {
        logger = (Logger) LoggerFactory.getLogger(owner);
        broken.start();
        logger.addAppender(broken);
    }

    @Override
    public void close() {
        logger.detachAppender(broken);
    }
}
