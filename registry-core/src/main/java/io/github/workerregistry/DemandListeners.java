package io.github.workerregistry;

import io.github.workerregistry.internal.LogText;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The listeners of {@link Supervision#onDemand}. Thread-safe. */
final class DemandListeners {

    private static final Logger log = LoggerFactory.getLogger(DemandListeners.class);

    private final List<Registration> registrations = new CopyOnWriteArrayList<>();

    /** One registration: the same listener may be registered twice. */
    private final class Registration implements Subscription {
        private final Consumer<String> listener;

        Registration(Consumer<String> listener) {
            this.listener = listener;
        }

        @Override
        public void close() {
            registrations.remove(this);
        }
    }

    Subscription add(Consumer<String> listener) {
        Registration registration = new Registration(listener);
        registrations.add(registration);
        return registration;
    }

    /** A request waits for a slot of the model. Called with no lock held. */
    void requestWaits(String modelRef) {
        for (Registration registration : registrations) {
            try {
                registration.listener.accept(modelRef);
            } catch (Throwable t) { // foreign code on the thread of a request, which waits all the same
                log.warn("a listener for waiting requests failed", LogText.of(t));
            }
        }
    }
}
