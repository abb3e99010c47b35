package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** Waiters join and leave at random; the groups are compared with a plain list. */
@AddLifecycleHook(UnexpectedWarnings.class)
class WaitersByFilterProperties {

    private static final SlotFilter CUDA = SlotFilter.any().onBackend("cuda");

    /** Some are equal, and two differ only in their predicate. */
    private static final List<SlotFilter> FILTERS = List.of(
            SlotFilter.any(),
            CUDA,
            SlotFilter.any().onBackend("cuda").onDevice(1),
            CUDA.where(worker -> true),
            CUDA.where(worker -> false));

    private final WaitersByFilter waiters = new WaitersByFilter();
    private final List<Waiter> plain = new ArrayList<>();

    @Property
    void firstWaitersOfEachFilterAreInTheOrderOfArrival(
            @ForAll @Size(max = 60) List<@IntRange(max = 11) Integer> steps) {
        for (int step : steps) {
            run(step);
            assertThat(firsts()).isEqualTo(plainFirsts());
            assertThat(waiters.size()).isEqualTo(plain.size());
            assertThat(waiters.hasUnfiltered())
                    .isEqualTo(plain.stream().anyMatch(waiter -> waiter.filter().isAny()));
            assertThat(waiters.filters())
                    .isEqualTo(plainFirsts().stream().map(Waiter::filter).toList());
        }
    }

    /**
     * Half of the steps add a waiter, the others remove one: the first, the last, one in the middle, or an unknown one.
     */
    private void run(int step) {
        if (step < FILTERS.size() + 1) {
            SlotFilter filter = step < FILTERS.size()
                    ? FILTERS.get(step)
                    : SlotFilter.any().onBackend("cuda"); // equal to one of them, but another object
            Waiter waiter = new Waiter(filter, true);
            waiters.add(waiter);
            plain.add(waiter);
        } else if (plain.isEmpty()) {
            waiters.remove(new Waiter(CUDA, true));
        } else {
            Waiter leaving = plain.remove(
                    switch (step % 3) {
                        case 0 -> 0;
                        case 1 -> plain.size() - 1;
                        default -> plain.size() / 2;
                    });
            waiters.remove(leaving);
            waiters.remove(leaving); // the second removal changes nothing
        }
    }

    private List<Waiter> firsts() {
        List<Waiter> firsts = new ArrayList<>();
        for (Waiter next = waiters.firstOfNextGroup(null); next != null; next = waiters.firstOfNextGroup(next)) {
            firsts.add(next);
        }
        return firsts;
    }

    private List<Waiter> plainFirsts() {
        Map<SlotFilter, Waiter> firsts = new LinkedHashMap<>();
        plain.forEach(waiter -> firsts.putIfAbsent(waiter.filter(), waiter));
        return List.copyOf(firsts.values());
    }
}
