package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Durations.shorter;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.pool.Need.Kind;
import io.github.workerregistry.pool.Plan.Evict;
import io.github.workerregistry.pool.Plan.Refusal;
import io.github.workerregistry.pool.Plan.Refuse;
import io.github.workerregistry.pool.Plan.Start;
import io.github.workerregistry.pool.Plan.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which workers run: a pure function from a snapshot to a plan, without I/O, clock, lock or log.
 *
 * <p>Each model needs at most one more worker at a time ({@link #needOf}). The needs are served in the order of their
 * oldest waiters. For each of them ({@link #serve}): start a worker where there is room now; else wait for room that is
 * being freed; else evict; else wait. What a need waits for is reserved: {@code coming} is the room that is free or
 * being freed, less all reservations, and a start needs room in both. Then workers that are not needed are stopped
 * ({@link ScaleDown}), unless one was started.
 *
 * <p>A pass in which workers of an earlier revision make way for a new one ({@link Switchover}) does nothing else.
 */
final class Planner {

    private final PoolSnapshot pool;
    private final Room free;
    private final Room coming;
    private final Victims victims;
    private final List<Step> steps = new ArrayList<>();
    private final Set<String> watched = new HashSet<>();
    private @Nullable Duration wakeIn;

    private Planner(PoolSnapshot pool) {
        this.pool = pool;
        free = new Room(pool.devices(), pool.maxWorkers());
        coming = new Room(pool.devices(), pool.maxWorkers());
        for (ModelSnapshot model : pool.models()) {
            for (WorkerSnapshot worker : model.workers()) {
                free.claim(worker.placement());
                if (!worker.isEnding()) {
                    coming.claim(worker.placement());
                }
            }
        }
        victims = new Victims(pool);
    }

    /** The plan for a snapshot. */
    static Plan plan(PoolSnapshot pool) {
        return new Planner(pool).plan();
    }

    private Plan plan() {
        steps.addAll(Switchover.plan(pool.models()));
        if (!steps.isEmpty()) {
            return new Plan(steps, watched, Optional.of(Duration.ZERO)); // all else sees what follows from it
        }
        List<Need> needs = new ArrayList<>();
        for (ModelSnapshot model : pool.models()) {
            Need need = needOf(model);
            if (need != null) {
                needs.add(need);
            }
        }
        needs.sort(Need.ORDER);
        needs.forEach(this::serve);
        boolean wentUp = steps.stream().anyMatch(Start.class::isInstance);
        if (wentUp) {
            wake(Duration.ZERO); // what is to be stopped is stopped in the next pass
        } else {
            new ScaleDown(pool.models(), victims.taken(), steps, watched, this::wake).plan();
        }
        return new Plan(steps, watched, Optional.ofNullable(wakeIn));
    }

    private void wake(Duration delay) {
        wakeIn = wakeIn == null ? delay : shorter(wakeIn, delay);
    }

    // What a model needs.

    private @Nullable Need needOf(ModelSnapshot model) {
        List<SlotRequest> unserved = new ArrayList<>();
        for (SlotRequest ask : model.demand().asks()) {
            if (!model.serves(ask)) {
                unserved.add(ask);
            }
        }
        List<SlotRequest> impossible =
                unserved.stream().filter(ask -> !isPossible(ask, model.spec())).toList();
        if (!impossible.isEmpty()) {
            unserved.removeAll(impossible);
            refuse(model, Refusal.NO_WORKER, impossible, false, "no worker that the model may have serves the request");
        }
        boolean blocked = model.isBlocked(pool.now());
        if (blocked) {
            refuse(model, Refusal.LOAD_FAILED, unserved, false, "");
            model.failure().flatMap(LoadFailure::retryAt).ifPresent(at -> wake(Duration.between(pool.now(), at)));
        }
        if (blocked || model.hasOpenLoad()) {
            return null; // one load at a time
        }
        Duration waited = model.demand().longestWait();
        if (!unserved.isEmpty()) {
            return new Need(
                    model,
                    Kind.FIRST,
                    unserved.get(0),
                    model.hasLive() ? model.demand().longestOf(unserved) : waited,
                    List.copyOf(unserved.subList(1, unserved.size())));
        }
        if (model.demand().loads() > 0 && !model.hasLive()) {
            return new Need(model, Kind.FIRST, null, waited);
        }
        if (model.needsReplacement()) {
            return new Need(model, Kind.MINIMUM, null, Duration.ZERO);
        }
        if (!model.isFull()) {
            if (model.live() < model.minimum()) {
                return new Need(model, Kind.MINIMUM, null, Duration.ZERO);
            }
            return furtherNeed(model, waited);
        }
        return null;
    }

    private boolean isPossible(SlotRequest ask, ModelSpec spec) {
        if (ask.device().isEmpty() && ask.labels().isEmpty()) {
            return ask.backend().map(spec.backend()::equals).orElse(true);
        }
        return free.placements(spec).stream().anyMatch(placement -> Need.accepts(ask, spec, placement));
    }

    private @Nullable Need furtherNeed(ModelSnapshot model, Duration waited) {
        int slots = model.workers().stream()
                .mapToInt(worker -> worker.info().slotsAvailable())
                .sum();
        if (model.demand().waiting() <= slots) {
            return null;
        }
        Duration delay = model.spec().scaleUpDelay();
        if (waited.compareTo(delay) < 0) {
            wake(delay.minus(waited));
            return null;
        }
        return model.demand().asks().stream()
                .filter(ask -> isPossible(ask, model.spec()))
                .findFirst()
                .map(ask -> new Need(model, Kind.FURTHER, ask, waited))
                .orElse(null);
    }

    // How a need is served.

    private void serve(Need need) {
        List<Placement> placements = free.placements(need.model().spec()).stream()
                .filter(need::accepts)
                .toList();
        if (need.model().isFull()) {
            makeRoomAmongOwn(need, placements);
            return;
        }
        if (start(need, placements) || startForOther(need)) {
            return;
        }
        for (Placement placement : placements) {
            if (coming.fits(placement)) {
                coming.claim(placement);
                return;
            }
        }
        evictOrWait(need, placements);
    }

    private boolean start(Need need, List<Placement> placements) {
        for (Placement placement : placements) {
            if (free.fits(placement) && coming.fits(placement)) {
                free.claim(placement);
                coming.claim(placement);
                steps.add(new Start(need.model().modelRef(), placement));
                return true;
            }
        }
        return false;
    }

    private boolean startForOther(Need need) {
        ModelSpec spec = need.model().spec();
        List<Placement> placements = need.otherAsks().isEmpty() ? List.of() : free.placements(spec);
        return need.otherAsks().stream()
                .anyMatch(ask -> start(
                        need,
                        placements.stream()
                                .filter(placement -> Need.accepts(ask, spec, placement))
                                .toList()));
    }

    private void evictOrWait(Need need, List<Placement> placements) {
        Victims.Choice choice = victims.choose(need, placements, coming);
        if (choice != null) {
            evict(choice);
            return;
        }
        Placement possible = placements.stream()
                .filter(placement -> victims.isEverPossible(need, placement))
                .findFirst()
                .orElse(null);
        if (need.kind() == Kind.FIRST && (possible == null || !victims.mayEvict(need.model()))) {
            refuseForCapacity(need, possible == null);
        } else if (possible != null && victims.mayEvict(need.model())) {
            await(need, possible);
        }
    }

    private void refuseForCapacity(Need need, boolean isHeld) {
        String why = isHeld
                ? "what holds its room is pinned, not evictable, needed for minWorkers, or could not be killed"
                : "there is no room, and no other model is evicted for it";
        boolean anywhere = need.ask() == null || need.ask().device().isEmpty();
        List<SlotRequest> asks = need.ask() == null ? List.of() : List.of(need.ask());
        refuse(need.model(), Refusal.NO_CAPACITY, asks, anywhere, why);
        wake(Duration.ZERO); // for what else is asked for
    }

    /** Waits for workers that load, are busy, or are within their residency. */
    private void await(Need need, Placement possible) {
        boolean overdue = victims.isOverdue(need);
        if (overdue && need.kind() == Kind.FIRST) {
            coming.claim(possible); // a later need gets nothing of it
        }
        victims.watchFor(need, watched, this::wake);
        if (!overdue && need.kind() != Kind.MINIMUM) {
            wake(pool.maxWait().minus(need.waited()));
        }
    }

    /** The model has all workers that it may have, and none of them serves the request. */
    private void makeRoomAmongOwn(Need need, List<Placement> placements) {
        if (need.model().workers().stream().anyMatch(WorkerSnapshot::isEnding)) {
            return; // one of them ends already
        }
        List<Placement> possible = placements.stream()
                .filter(placement -> victims.isEverPossible(need, placement))
                .toList();
        Victims.Choice choice = possible.stream()
                .map(placement -> victims.chooseOwn(need, placement, coming))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        if (choice != null) {
            evict(choice);
        } else if (need.model().workers().stream().anyMatch(worker -> need.accepts(worker.placement()))) {
            refuseExclusion(need);
        } else if (possible.isEmpty() || !victims.mayEvictOwn(need)) {
            refuseForCapacity(need, true);
        } else {
            await(need, possible.get(0));
        }
    }

    /** The request excludes a worker by its id. If that has just failed it, it may end soon, and another one follow. */
    private void refuseExclusion(Need need) {
        SlotRequest ask = Objects.requireNonNull(need.ask());
        Duration left =
                need.model().spec().scaleUpDelay().minus(need.model().demand().longestOf(List.of(ask)));
        if (left.isZero() || left.isNegative()) {
            String why = "the request excludes a worker, and the model may have no other one beside it";
            refuse(need.model(), Refusal.NO_WORKER, List.of(ask), false, why);
            left = Duration.ZERO; // for what else is asked for
        }
        wake(left);
    }

    private void evict(Victims.Choice choice) {
        for (Evict victim : choice.evictions()) {
            steps.add(victim);
            victims.take(victim.worker());
            coming.release(victim.worker().placement());
        }
        coming.claim(choice.placement());
    }

    private void refuse(ModelSnapshot model, Refusal refusal, List<SlotRequest> asks, boolean loads, String why) {
        if (!asks.isEmpty() || (loads && model.demand().loads() > 0)) {
            steps.add(new Refuse(model.modelRef(), refusal, asks, loads, why));
        }
    }
}
