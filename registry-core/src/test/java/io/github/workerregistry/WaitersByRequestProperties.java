package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotRequest.Constraints;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/**
 * Waiters join and leave at random; the groups are compared with a plain list: higher priority first, then first come.
 */
@AddLifecycleHook(UnexpectedWarnings.class)
class WaitersByRequestProperties {

    private static final SlotRequest ANY = SlotRequest.forModel("m");

    /** Adds a waiter, or removes one of those that are present. */
    record Step(SlotRequest request, boolean failIfAbsent, boolean adds, int choice) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<SlotRequest> constraints = Arbitraries.oneOf(
                Arbitraries.just(ANY),
                Arbitraries.of("cuda", "cpu").map(ANY::onBackend), // equal, but not the same objects
                Arbitraries.of(0, 1).map(device -> ANY.onBackend("cuda").onDevice(device)),
                Arbitraries.of("a", "b").map(ANY::excluding),
                Arbitraries.of("fast", "slow").map(tier -> ANY.withLabel("tier", tier)));
        Arbitrary<SlotRequest> requests = Combinators.combine(
                        constraints,
                        Arbitraries.frequencyOf(
                                Tuple.of(3, Arbitraries.integers().between(-1, 1)),
                                Tuple.of(1, Arbitraries.of(Integer.MIN_VALUE, Integer.MAX_VALUE))),
                        Arbitraries.of("", "session-1", "session-2"))
                .as((request, priority, key) -> key.isEmpty()
                        ? request.priority(priority)
                        : request.priority(priority).affinity(key));
        return Combinators.combine(
                        requests,
                        Arbitraries.of(true, false),
                        Arbitraries.of(true, true, true, false, false),
                        Arbitraries.integers().between(0, 59))
                .as(Step::new)
                .list()
                .ofMaxSize(60);
    }

    @Property
    void waitersAreOrderedByPriorityThenArrival(@ForAll("steps") List<Step> steps) {
        WithPlainList both = new WithPlainList();
        for (Step step : steps) {
            both.run(step);
            both.compare();
        }
    }

    /** As slots that all waiters accept are released one after another. */
    @Property
    void removingTheFirstWaiterRepeatedlyRemovesAllInOrder(@ForAll("steps") List<Step> steps) {
        WithPlainList both = new WithPlainList();
        steps.forEach(both::run);

        for (Waiter next : both.ordered()) {
            assertThat(both.waiters.firstOfNextGroup(null)).isSameAs(next);
            both.waiters.remove(next);
        }

        assertThat(both.waiters.firstOfNextGroup(null)).isNull();
        assertThat(both.waiters.size()).isZero();
        assertThat(both.waiters.hasUnconstrained()).isFalse();
        assertThat(both.waiters.constraints()).isEmpty();
    }

    private record Kind(Constraints constraints, int priority, boolean failIfAbsent) {
        static Kind of(Waiter waiter) {
            SlotRequest request = waiter.request();
            return new Kind(request.constraints(), request.priority(), waiter.failsIfAbsent());
        }
    }

    private static final class WithPlainList {
        private final WaitersByRequest waiters = new WaitersByRequest();

        /** In the order of arrival. */
        private final List<Waiter> plain = new ArrayList<>();

        void run(Step step) {
            if (step.adds) {
                Waiter waiter = new BlockingWaiter(step.request, step.failIfAbsent);
                assertThat(waiters.positionOf(waiter)).isNegative();
                waiters.add(waiter);
                plain.add(waiter);
            } else if (plain.isEmpty()) {
                waiters.remove(new BlockingWaiter(step.request, step.failIfAbsent)); // unknown: changes nothing
            } else {
                Waiter leaving = plain.remove(step.choice % plain.size());
                waiters.remove(leaving);
                assertThat(waiters.positionOf(leaving)).isNegative();
                waiters.remove(leaving); // the second removal changes nothing
            }
        }

        void compare() {
            List<Waiter> ordered = ordered();
            Set<Kind> seen = new HashSet<>();
            List<Waiter> firsts =
                    ordered.stream().filter(waiter -> seen.add(Kind.of(waiter))).toList();
            assertThat(firstOfEachGroup()).isEqualTo(firsts);
            assertThat(waiters.size()).isEqualTo(plain.size());
            assertThat(waiters.hasUnconstrained())
                    .isEqualTo(
                            plain.stream().anyMatch(waiter -> waiter.request().isUnconstrained()));
            assertThat(waiters.constraints())
                    .isEqualTo(firsts.stream()
                            .map(waiter -> waiter.request().constraints())
                            .toList());
            for (int i = 0; i < ordered.size(); i++) {
                assertThat(waiters.positionOf(ordered.get(i))).isEqualTo(i);
            }
        }

        private List<Waiter> firstOfEachGroup() {
            List<Waiter> firsts = new ArrayList<>();
            for (Waiter next = waiters.firstOfNextGroup(null); next != null; next = waiters.firstOfNextGroup(next)) {
                firsts.add(next);
            }
            return firsts;
        }

        /** The sort is stable: it keeps the order of arrival. */
        List<Waiter> ordered() {
            return plain.stream()
                    .sorted(Comparator.comparing(waiter -> waiter.request().priority(), Comparator.reverseOrder()))
                    .toList();
        }
    }
}
