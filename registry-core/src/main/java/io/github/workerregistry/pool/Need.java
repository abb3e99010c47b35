package io.github.workerregistry.pool;

import io.github.workerregistry.SlotRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One worker that a model needs.
 *
 * @param model the model
 * @param kind why
 * @param ask what the worker must have; null: anything
 * @param waited how long the oldest request that needs it has waited
 * @param otherAsks what else no worker of the model serves: a worker for it is started where there is room now, while
 *     there is none for {@code ask}
 */
record Need(ModelSnapshot model, Kind kind, @Nullable SlotRequest ask, Duration waited, List<SlotRequest> otherAsks) {

    Need(ModelSnapshot model, Kind kind, @Nullable SlotRequest ask, Duration waited) {
        this(model, kind, ask, waited, List.of());
    }

    /**
     * First workers before minimum workers before further ones; then those for which a worker has been evicted; then
     * the oldest waiter first.
     */
    static final Comparator<Need> ORDER = Comparator.comparing(Need::kind)
            .thenComparing(need -> !need.model().demand().promised())
            .thenComparing(Need::waited, Comparator.reverseOrder());

    /** Why a worker is needed. */
    enum Kind {
        /** A request waits that no worker serves. */
        FIRST,
        /** The model has fewer workers than {@code minWorkers}. */
        MINIMUM,
        /** More requests wait than there are slots. */
        FURTHER
    }

    /** Whether a worker that is placed there would serve the request. */
    boolean accepts(Placement placement) {
        return ask == null || accepts(ask, model.spec(), placement);
    }

    static boolean accepts(SlotRequest ask, ModelSpec spec, Placement placement) {
        return ask.backend().map(spec.backend()::equals).orElse(true)
                && (ask.device().isEmpty()
                        || placement.devices().contains(ask.device().getAsInt()))
                && (ask.labels().isEmpty()
                        || spec.workerOn(placement)
                                .build()
                                .labels()
                                .entrySet()
                                .containsAll(ask.labels().entrySet()));
    }
}
