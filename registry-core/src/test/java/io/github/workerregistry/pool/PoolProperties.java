package io.github.workerregistry.pool;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.pool.PoolHistory.Action;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** Random histories of a pool in virtual time. */
@AddLifecycleHook(UnexpectedWarnings.class)
class PoolProperties {

    /** One step. */
    record Step(Action action, int x) {
        @Override
        public String toString() {
            return action + "(" + x + ")";
        }
    }

    @Provide
    Arbitrary<List<Step>> histories() {
        Arbitrary<Action> actions = Arbitraries.frequency(
                Tuple.of(20, Action.REQUEST),
                Tuple.of(3, Action.REQUEST_ON_DEVICE),
                Tuple.of(5, Action.CANCEL),
                Tuple.of(14, Action.RELEASE),
                Tuple.of(20, Action.READY),
                Tuple.of(5, Action.REPLACE_AND_ACQUIRE),
                Tuple.of(5, Action.CRASH),
                Tuple.of(1, Action.FAIL_NEXT_START),
                Tuple.of(1, Action.IGNORE_TERMINATE),
                Tuple.of(3, Action.LOAD),
                Tuple.of(2, Action.UNLOAD),
                Tuple.of(2, Action.PIN),
                Tuple.of(3, Action.UNPIN),
                Tuple.of(1, Action.REMOVE_RECORD),
                Tuple.of(6, Action.CHANGE_COMMAND),
                Tuple.of(2, Action.CHANGE_UNITS),
                Tuple.of(2, Action.CHANGE_MAX_WORKERS),
                Tuple.of(3, Action.REMOVE_OR_ADD_MODEL),
                Tuple.of(2, Action.MOVE_ALIAS),
                Tuple.of(1, Action.UPDATE_TO_THE_SAME),
                Tuple.of(20, Action.PASS_TIME),
                Tuple.of(8, Action.PASS_LONG_TIME));
        Arbitrary<Step> steps = Combinators.combine(
                        actions, Arbitraries.integers().between(0, 31))
                .as(Step::new);
        return steps.list().ofMaxSize(60);
    }

    @Property(tries = 200)
    void invariantsHoldAfterEveryStep(@ForAll("histories") List<Step> history) {
        UnexpectedWarnings.allow("has ended: CRASHED", "is stopped: LOAD_STALL", "is not ready after");
        PoolHistory pool = new PoolHistory();
        history.forEach(step -> pool.step(step.action(), step.x()));
        pool.end();
    }
}
