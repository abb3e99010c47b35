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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which workers may be evicted for a need, and which of them are. For one pass.
 *
 * <p>Why a worker may be evicted ({@link Held#reason}) depends on the worker alone, so they are put in order once;
 * {@link #isVictimOf} has what depends on the need. In a pass, workers only cease to be victims, by being evicted.
 */
final class Victims {

    private static final Duration TRANSIENT = Duration.ofSeconds(1);

    private final PoolSnapshot pool;
    private final List<Held> holders = new ArrayList<>();
    private final Room unclaimed;
    private final Map<String, Long> live = new HashMap<>();
    private final Set<String> taken = new HashSet<>();
    private boolean isAllWatched;
    private @Nullable List<Held> inOrder;
    private @Nullable Room heldForFirst;
    private @Nullable Room heldForFurther;

    Victims(PoolSnapshot pool) {
        this.pool = pool;
        unclaimed = new Room(pool.devices(), pool.maxWorkers());
        for (ModelSnapshot model : pool.models()) {
            if (model.workers().isEmpty()) {
                continue;
            }
            live.put(model.modelRef(), model.live());
            for (WorkerSnapshot worker : model.workers()) {
                if (worker.isLive()) {
                    holders.add(new Held(model, worker, reason(model, worker)));
                } else if (worker.isUnkillable()) {
                    unclaimed.claim(worker.placement());
                }
            }
        }
    }

    /**
     * A worker that is live at the beginning of the pass.
     *
     * @param reason why it may be evicted, now or after {@code maxWait}; null if it may not
     */
    private record Held(
            ModelSnapshot model,
            WorkerSnapshot worker,
            @Nullable EvictionReason reason) {

        boolean isOf(ModelSnapshot other) {
            return model.modelRef().equals(other.modelRef());
        }
    }

    /** Where the worker will run, and which workers end for it. */
    record Choice(Placement placement, List<Evict> evictions) {}

    /** The ids of the workers that are evicted in this pass. */
    Set<String> taken() {
        return taken;
    }

    void take(WorkerSnapshot worker) {
        taken.add(worker.id());
        live.merge(worker.info().modelRef(), -1L, Long::sum);
        if (inOrder != null) {
            inOrder.removeIf(held -> held.worker.id().equals(worker.id()));
        }
        heldForFirst = null;
        heldForFurther = null;
    }

    boolean isOverdue(Need need) {
        return need.kind() != Kind.MINIMUM && need.waited().compareTo(pool.maxWait()) >= 0;
    }

    boolean mayEvict(ModelSnapshot model) {
        return model.spec().admission().orElse(pool.admission()) == Admission.EVICT;
    }

    // Why a worker may be evicted.

    private @Nullable EvictionReason reason(ModelSnapshot model, WorkerSnapshot worker) {
        if (!isEvictable(model)) {
            return null;
        }
        if (worker.isLoading()) {
            return model.demand().exists() ? null : EvictionReason.UNWANTED_LOAD;
        }
        if (worker.isIdle()
                && worker.readyFor().compareTo(model.spec().minResidency()) >= 0
                && !model.isWaitedFor(worker)) {
            return EvictionReason.IDLE;
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

    private static boolean isAfterMaxWait(EvictionReason reason) {
        return reason.compareTo(EvictionReason.IDLE) > 0;
    }

    private boolean isVictimOf(Need need, Held held, EvictionReason reason) {
        if (!isOf(need, held) || isHeld(need, held)) {
            return false;
        }
        if (reason != EvictionReason.UNWANTED_LOAD && !mayEvict(need.model())) {
            return false;
        }
        // or two models would push out one another's workers in turn
        return need.kind() != Kind.FURTHER || !isAfterMaxWait(reason) || live(held.model) > live(need.model()) + 1;
    }

    /** Whether it is a worker that could make room for the need: of no use for it. */
    private static boolean isOf(Need need, Held held) {
        return !held.isOf(need.model())
                || (need.kind() == Kind.FIRST && need.ask() != null && !need.accepts(held.worker.placement()));
    }

    /** Whether no worker of that model is ever evicted for the need, as things are. */
    private boolean isHeld(Need need, Held held) {
        return !isEvictable(held.model) || (!held.isOf(need.model()) && isHeld(need.kind(), held.model));
    }

    private boolean isHeld(Kind kind, ModelSnapshot model) {
        return !isEvictable(model)
                || live(model) <= model.minimum()
                || (kind == Kind.FURTHER && live(model) <= 1); // a further worker does not push out a last one
    }

    private static boolean isEvictable(ModelSnapshot model) {
        return !model.pinned() && model.spec().evictable();
    }

    private long live(ModelSnapshot model) {
        return live.getOrDefault(model.modelRef(), 0L);
    }

    // Choosing.

    /** The workers that may be evicted for the need now, in the order of eviction. */
    private List<Evict> victimsOf(Need need) {
        boolean overdue = isOverdue(need);
        List<Evict> victims = new ArrayList<>();
        for (Held held : inOrder()) {
            EvictionReason reason = held.reason;
            if (reason == null || (isAfterMaxWait(reason) && !overdue)) {
                break;
            }
            if (isVictimOf(need, held, reason)) {
                victims.add(new Evict(held.worker, need.model().modelRef(), reason));
            }
        }
        return victims;
    }

    private List<Held> inOrder() {
        if (inOrder == null) {
            inOrder = new ArrayList<>(holders);
            inOrder.removeIf(held -> held.reason == null || taken.contains(held.worker.id()));
            inOrder.sort(
                    Comparator.comparing(Held::reason).thenComparing(held -> candidate(held.worker), pool.policy()));
        }
        return inOrder;
    }

    private static Candidate candidate(WorkerSnapshot worker) {
        Duration loadTime = worker.loadTime().isZero() ? Duration.ofMillis(1) : worker.loadTime();
        return new Candidate(
                worker.id(),
                worker.info().modelRef(),
                worker.idle(),
                loadTime,
                worker.placement().total());
    }

    /** The choice that costs the least: whose most valuable victim is evicted earliest; then, fewer victims. */
    @Nullable
    Choice choose(Need need, List<Placement> placements, Room coming) {
        return choose(victimsOf(need), placements, coming);
    }

    private static @Nullable Choice choose(List<Evict> victims, List<Placement> placements, Room coming) {
        if (victims.isEmpty()) {
            return null;
        }
        Choice best = null;
        int bestRank = Integer.MAX_VALUE;
        for (Placement placement : placements) {
            List<Evict> chosen = chooseFor(placement, victims, coming);
            int rank = chosen.isEmpty() ? Integer.MAX_VALUE : victims.indexOf(chosen.get(chosen.size() - 1));
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
            if (room.isShortOf(placement, victim.worker().placement())) {
                room.release(victim.worker().placement());
                chosen.add(victim);
                if (room.fits(placement)) {
                    break;
                }
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
        List<Evict> victims = victimsOf(need);
        return victims.stream()
                .filter(victim ->
                        victim.worker().info().modelRef().equals(need.model().modelRef()))
                .filter(victim -> {
                    Room room = coming.copy();
                    room.release(victim.worker().placement());
                    return room.fits(placement) || choose(victims, List.of(placement), room) != null;
                })
                .findFirst()
                .map(victim -> new Choice(placement, List.of(victim)))
                .orElse(null);
    }

    boolean mayEvictOwn(Need need) {
        return isEvictable(need.model()) && ownOf(need).anyMatch(held -> isOf(need, held));
    }

    private Stream<Held> ownOf(Need need) {
        return need.model().workers().isEmpty()
                ? Stream.of()
                : holders.stream().filter(held -> held.isOf(need.model()) && !taken.contains(held.worker.id()));
    }

    // Waiting.

    /** Whether there would be room if every worker that may be evicted at some time were gone. */
    boolean isEverPossible(Need need, Placement placement) {
        Room room = held(need.kind());
        if (!need.model().workers().isEmpty()) {
            Room changed = room.copy();
            boolean heldForOthers = isHeld(need.kind(), need.model());
            ownOf(need).forEach(own -> {
                boolean stays = isHeld(need, own) || !isOf(need, own);
                if (stays && !heldForOthers) {
                    changed.claim(own.worker.placement());
                } else if (!stays && heldForOthers) {
                    changed.release(own.worker.placement());
                }
            });
            room = changed;
        }
        return room.fits(placement);
    }

    /** What is left beside workers that are never evicted, as things are, for a need of another model. */
    private Room held(Kind kind) {
        Room known = kind == Kind.FURTHER ? heldForFurther : heldForFirst;
        if (known != null) {
            return known;
        }
        Room room = unclaimed.copy();
        for (Held held : holders) {
            if (isHeld(kind, held.model) && !taken.contains(held.worker.id())) {
                room.claim(held.worker.placement());
            }
        }
        if (kind == Kind.FURTHER) {
            heldForFurther = room;
        } else {
            heldForFirst = room;
        }
        return room;
    }

    /** Notes when workers that may not be evicted yet will be. */
    void watchFor(Need need, Set<String> watched, Consumer<Duration> wake) {
        boolean hasNone = need.model().workers().isEmpty();
        if (hasNone && isAllWatched) {
            return; // for another need
        }
        isAllWatched |= hasNone;
        for (Held held : holders) {
            if (!isOf(need, held) || !isEvictable(held.model) || taken.contains(held.worker.id())) {
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
