package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Durations.longer;
import static io.github.workerregistry.internal.Durations.shorter;

import io.github.workerregistry.pool.EvictionPolicy.Candidate;
import io.github.workerregistry.pool.Need.Kind;
import io.github.workerregistry.pool.Plan.Evict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Which workers may be evicted for a need, and which of them are. For one pass. */
final class Victims {

    private static final Duration TRANSIENT = Duration.ofSeconds(1);

    private final PoolSnapshot pool;
    private final List<Held> holders = new ArrayList<>();
    private final Room unclaimed;
    private final Map<String, Long> live = new HashMap<>();
    private final Set<String> taken = new HashSet<>();

    Victims(PoolSnapshot pool) {
        this.pool = pool;
        unclaimed = new Room(pool.devices(), pool.maxWorkers());
        pool.models().forEach(model -> {
            model.workers().stream()
                    .filter(WorkerSnapshot::isLive)
                    .forEach(worker -> holders.add(new Held(model, worker)));
            live.put(model.modelRef(), model.live());
            model.workers().stream()
                    .filter(WorkerSnapshot::isUnkillable)
                    .forEach(worker -> unclaimed.claim(worker.placement()));
        });
    }

    /** A worker that is live at the beginning of the pass. */
    private record Held(ModelSnapshot model, WorkerSnapshot worker) {}

    /** Where the worker will run, and which workers end for it. */
    record Choice(Placement placement, List<Evict> evictions) {}

    /** The ids of the workers that are evicted in this pass. */
    Set<String> taken() {
        return taken;
    }

    void take(WorkerSnapshot worker) {
        taken.add(worker.id());
        live.merge(worker.info().modelRef(), -1L, Long::sum);
    }

    boolean isOverdue(Need need) {
        return need.kind() != Kind.MINIMUM && need.waited().compareTo(pool.maxWait()) >= 0;
    }

    boolean mayEvict(ModelSnapshot model) {
        return model.spec().admission().orElse(pool.admission()) == Admission.EVICT;
    }

    /** The choice that costs the least: whose most valuable victim is evicted earliest; then, fewer victims. */
    @Nullable
    Choice choose(Need need, List<Placement> placements, Room coming) {
        List<Evict> inOrder = inOrder(need);
        if (inOrder.isEmpty()) {
            return null;
        }
        Choice best = null;
        int bestRank = Integer.MAX_VALUE;
        for (Placement placement : placements) {
            List<Evict> chosen = chooseFor(placement, inOrder, coming);
            int rank = chosen.isEmpty() ? Integer.MAX_VALUE : inOrder.indexOf(chosen.get(chosen.size() - 1));
            boolean fewer = best != null
                    && rank == bestRank
                    && chosen.size() < best.evictions().size();
            if (rank < bestRank || fewer) {
                best = new Choice(placement, chosen);
                bestRank = rank;
            }
        }
        return best;
    }

    /** In the order of eviction, as many as are needed, and none that is not; empty if they do not suffice. */
    private static List<Evict> chooseFor(Placement placement, List<Evict> inOrder, Room coming) {
        Room room = coming.copy();
        List<Evict> chosen = new ArrayList<>();
        for (Evict victim : inOrder) {
            if (!room.fits(placement)
                    && room.isShortOf(placement, victim.worker().placement())) {
                room.release(victim.worker().placement());
                chosen.add(victim);
            }
        }
        if (!room.fits(placement)) {
            return List.of();
        }
        for (Evict victim : List.copyOf(chosen)) {
            room.claim(victim.worker().placement());
            if (room.fits(placement)) {
                chosen.remove(victim);
            } else {
                room.release(victim.worker().placement());
            }
        }
        return chosen;
    }

    /** A worker of the same model that does not serve the request; null while there is no room for the next one. */
    @Nullable
    Choice chooseOwn(Need need, Placement placement, Room coming) {
        return inOrder(need).stream()
                .filter(victim ->
                        victim.worker().info().modelRef().equals(need.model().modelRef()))
                .filter(victim -> {
                    Room room = coming.copy();
                    room.release(victim.worker().placement());
                    return room.fits(placement) || choose(need, List.of(placement), room) != null;
                })
                .findFirst()
                .map(victim -> new Choice(placement, List.of(victim)))
                .orElse(null);
    }

    boolean mayEvictOwn(Need need) {
        return need.model().workers().stream().anyMatch(worker -> isOf(need, worker) && isEvictable(need.model()));
    }

    private List<Evict> inOrder(Need need) {
        List<Evict> found = new ArrayList<>();
        for (Held held : holders) {
            EvictionReason reason = isOf(need, held.worker) ? reason(need, held.model, held.worker) : null;
            if (reason != null) {
                found.add(new Evict(held.worker, need.model().modelRef(), reason));
            }
        }
        Comparator<Evict> byReason = Comparator.comparing(Evict::reason);
        found.sort(byReason.thenComparing(victim -> candidate(victim.worker()), pool.policy()));
        return found;
    }

    /** Whether it is a worker that could make room for the need: live, and of no use for it. */
    private boolean isOf(Need need, WorkerSnapshot worker) {
        if (!worker.isLive() || taken.contains(worker.id())) {
            return false;
        }
        boolean own = worker.info().modelRef().equals(need.model().modelRef());
        return !own || (need.kind() == Kind.FIRST && need.ask() != null && !need.accepts(worker.placement()));
    }

    /** Why it may be evicted now; null if it may not. */
    private @Nullable EvictionReason reason(Need need, ModelSnapshot model, WorkerSnapshot worker) {
        boolean own = model.modelRef().equals(need.model().modelRef());
        if (!isEvictable(model) || (!own && isNeeded(model))) {
            return null;
        }
        if (isLastOf(need, model)) {
            return null;
        }
        if (worker.isLoading()) {
            return model.demand().exists() ? null : EvictionReason.UNWANTED_LOAD;
        }
        if (!mayEvict(need.model())) {
            return null;
        }
        if (worker.isIdle()
                && worker.readyFor().compareTo(model.spec().minResidency()) >= 0
                && !model.isWaitedFor(worker)) {
            return EvictionReason.IDLE;
        }
        if (!isOverdue(need)) {
            return null;
        }
        if (need.kind() == Kind.FURTHER && live(model) <= live(need.model()) + 1) {
            return null; // or the two models would push out one another's workers in turn
        }
        if (servesItsBatch(model, worker)) {
            return null;
        }
        return worker.isIdle() ? EvictionReason.MAX_WAIT_IDLE : EvictionReason.MAX_WAIT_BUSY;
    }

    /**
     * Whether it still serves the requests that waited when it became ready. They are served before it is evicted, or a
     * load would serve one request only, but for no longer than {@link #batchTime}.
     */
    private boolean servesItsBatch(ModelSnapshot model, WorkerSnapshot worker) {
        return worker.readyFor().compareTo(batchTime(worker)) < 0 && model.isWaitedForSinceItsLoad(worker);
    }

    private Duration batchTime(WorkerSnapshot worker) {
        return longer(pool.maxWait(), worker.loadTime());
    }

    private static boolean isEvictable(ModelSnapshot model) {
        return !model.pinned() && model.spec().evictable();
    }

    private boolean isNeeded(ModelSnapshot model) {
        return live(model) <= model.minimum();
    }

    private long live(ModelSnapshot model) {
        return live.getOrDefault(model.modelRef(), 0L);
    }

    private Candidate candidate(WorkerSnapshot worker) {
        Duration loadTime = worker.loadTime().isZero() ? Duration.ofMillis(1) : worker.loadTime();
        return new Candidate(
                worker.id(),
                worker.info().modelRef(),
                worker.idle(),
                loadTime,
                worker.placement().total());
    }

    /** Whether there would be room if every worker that may be evicted at some time were gone. */
    boolean isEverPossible(Need need, Placement placement) {
        Room room = unclaimed.copy();
        for (Held held : holders) {
            boolean stays = isHeld(need, held.model) || !isOf(need, held.worker);
            if (stays && !taken.contains(held.worker.id())) {
                room.claim(held.worker.placement());
            }
        }
        return room.fits(placement);
    }

    /** Whether no worker of the model is ever evicted for the need, as things are. */
    private boolean isHeld(Need need, ModelSnapshot model) {
        boolean own = model.modelRef().equals(need.model().modelRef());
        return !isEvictable(model) || (!own && (isNeeded(model) || isLastOf(need, model)));
    }

    /** A worker beyond the first does not push out another model's last one. */
    private boolean isLastOf(Need need, ModelSnapshot model) {
        return need.kind() == Kind.FURTHER && live(model) <= 1;
    }

    /** Notes when workers that may not be evicted yet will be. */
    void watchFor(Need need, Set<String> watched, Consumer<Duration> wake) {
        for (Held held : holders) {
            if (!isOf(need, held.worker) || !isEvictable(held.model)) {
                continue;
            }
            if (held.worker.isLoading()) {
                wake.accept(TRANSIENT); // those that wait for it may leave, which nothing reports
            } else if (held.worker.isBusy()) {
                watched.add(held.worker.id());
                if (servesItsBatch(held.model, held.worker)) { // nothing reports its end
                    wake.accept(shorter(TRANSIENT, batchTime(held.worker).minus(held.worker.readyFor())));
                }
            } else if (held.worker.isIdle()) {
                Duration left = held.model.spec().minResidency().minus(held.worker.readyFor());
                wake.accept(left.isNegative() || left.isZero() ? TRANSIENT : left);
            }
        }
    }
}
