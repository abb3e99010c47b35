package io.github.workerregistry.examples.queen;

import static io.github.workerregistry.examples.queen.Snapshots.busy;
import static io.github.workerregistry.examples.queen.Snapshots.idle;
import static io.github.workerregistry.examples.queen.Snapshots.snapshot;
import static io.github.workerregistry.examples.queen.Snapshots.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.examples.queen.Fleet.Ready;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FleetTest {

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // it overflows immediately
    private final Fleet fleet = new Fleet(nanos::get);

    @Test
    void olderAndEqualRevisionsAreIgnored() {
        assertThat(fleet.accept(snapshot("a", 1, 2, idle("new")))).isTrue();

        assertThat(fleet.accept(snapshot("a", 1, 1, idle("old")))).isFalse();
        assertThat(fleet.accept(snapshot("a", 1, 2, idle("old")))).isFalse();

        assertThat(ids("a")).containsExactly("new");
    }

    @Test
    void restartedHiveRestartsItsRevisionsAndItsPredecessorIsIgnored() {
        fleet.accept(snapshot("a", 1, 900, idle("before")));

        assertThat(fleet.accept(snapshot("a", 2, 1, idle("after")))).isTrue();
        assertThat(fleet.accept(snapshot("a", 1, 901, idle("before")))).isFalse();

        assertThat(ids("a")).containsExactly("after");
    }

    @Test
    void snapshotInANewSessionIsAppliedWhateverItsAge() {
        fleet.accept(snapshot("a", 7, 7, idle("before")));

        fleet.replace(snapshot("a", 1, 1, idle("restored")));

        assertThat(ids("a")).containsExactly("restored");
    }

    @Test
    void modelIsFoundOnlyOnItsHives() {
        fleet.accept(snapshot("a", 1, 1, idle("x"), worker("y", "other", "idle", 1, 1)));
        fleet.accept(snapshot("b", 1, 1, idle("z")));

        assertThat(nodes("m")).containsExactlyInAnyOrder("a", "b");
        assertThat(nodes("other")).containsExactly("a");
        assertThat(nodes("nobody's")).isEmpty();

        fleet.accept(snapshot("a", 1, 2, idle("x")));
        fleet.drop("b");

        assertThat(nodes("m")).containsExactly("a");
        assertThat(nodes("other")).isEmpty();
        assertThat(fleet.hive("b")).isEmpty();
    }

    @Test
    void unknownHiveCanBeDropped() {
        fleet.drop("nobody");

        assertThat(fleet.hives()).isEmpty();
    }

    @Test
    void ageOfASnapshotCountsFromItsReceipt() {
        fleet.accept(snapshot("a", 1, 1, idle("w")));

        nanos.addAndGet(Duration.ofSeconds(3).toNanos());

        assertThat(fleet.age(fleet.hive("a").orElseThrow())).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void readyCallRegistersAWorkerUntilTheNextSnapshotConfirmsIt() {
        fleet.accept(snapshot("a", 1, 1, worker("w", "loading", 1, 0)));

        assertThat(fleet.ready("a", idle("w"))).isEqualTo(Ready.REGISTERED);
        assertThat(ids("a")).containsExactly("w");
        assertThat(model("a").best().state()).isEqualTo("idle");
        assertThat(fleet.hive("a").orElseThrow().unconfirmed()).containsOnlyKeys("w");

        fleet.accept(snapshot("a", 1, 2, busy("w")));

        assertThat(model("a").best().state()).isEqualTo("busy");
        assertThat(fleet.hive("a").orElseThrow().unconfirmed()).isEmpty();
    }

    @Test
    void nextSnapshotDropsAnUnconfirmedWorker() {
        fleet.accept(snapshot("a", 1, 1));

        assertThat(fleet.ready("a", idle("stray"))).isEqualTo(Ready.REGISTERED);
        assertThat(nodes("m")).containsExactly("a");
        fleet.accept(snapshot("a", 1, 2));

        assertThat(ids("a")).isEmpty();
        assertThat(nodes("m")).isEmpty();
    }

    @Test
    void readyCallForANodeWithoutAHiveIsRejected() {
        assertThat(fleet.ready("a", idle("w"))).isEqualTo(Ready.NO_SUCH_NODE);
        assertThat(nodes("m")).isEmpty();
    }

    @Test
    void readyCallReplacesNoOtherWorker() {
        fleet.accept(snapshot("a", 1, 1, busy("w")));

        assertThat(fleet.ready("a", idle("w"))).as("it is ready already").isEqualTo(Ready.KNOWN);
        assertThat(fleet.ready("a", worker("w", "another", "idle", 1, 1))).isEqualTo(Ready.ANOTHER);
        assertThat(model("a").best().state()).isEqualTo("busy");
    }

    /** An idle hive writes nothing. Regression: without a timeout, a ready call counted for ever. */
    @Test
    void unconfirmedReadyCallIsDroppedAfterATimeout() {
        fleet.accept(snapshot("a", 1, 1, worker("loading", "loading", 1, 0)));
        fleet.ready("a", idle("loading"));
        nanos.addAndGet(1);
        fleet.ready("a", idle("stray"));

        nanos.addAndGet(Fleet.CONFIRMATION.toNanos() - 1);
        fleet.dropUnconfirmed();
        assertThat(ids("a")).as("in time").containsExactly("loading", "stray");
        nanos.addAndGet(1);
        fleet.dropUnconfirmed();

        assertThat(ids("a")).as("the earlier one").containsExactly("loading", "stray");
        assertThat(fleet.hive("a").orElseThrow().unconfirmed()).containsOnlyKeys("stray");
        assertThat(fleet.hive("a").orElseThrow().worker("loading").orElseThrow().state())
                .as("the snapshot of its hive applies")
                .isEqualTo("loading");
        nanos.addAndGet(1);
        fleet.dropUnconfirmed();

        assertThat(ids("a")).containsExactly("loading");
    }

    @Test
    void repeatedReadyCallIsNoConfirmation() {
        fleet.accept(snapshot("a", 1, 1));
        fleet.ready("a", idle("stray"));
        nanos.addAndGet(Fleet.CONFIRMATION.toNanos());

        assertThat(fleet.ready("a", idle("stray"))).isEqualTo(Ready.KNOWN);
        nanos.addAndGet(1);
        fleet.dropUnconfirmed();

        assertThat(nodes("m")).isEmpty();
    }

    @Test
    void unconfirmedWorkersOfAHiveAreLimited() {
        fleet.accept(snapshot("a", 1, 1));
        fleet.accept(snapshot("b", 1, 1));
        for (int i = 0; i < Fleet.MOST_UNCONFIRMED; i++) {
            assertThat(fleet.ready("a", idle("w" + i))).isEqualTo(Ready.REGISTERED);
        }

        assertThat(fleet.ready("a", idle("one more"))).isEqualTo(Ready.TOO_MANY);
        assertThat(fleet.ready("b", idle("one more"))).isEqualTo(Ready.REGISTERED);
        assertThat(ids("a")).hasSize(Fleet.MOST_UNCONFIRMED);

        fleet.accept(snapshot("a", 1, 2));
        assertThat(fleet.ready("a", idle("one more"))).isEqualTo(Ready.REGISTERED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stopping", "backing_off"})
    void readyCallDoesNotChangeAStoppingWorker(String state) {
        fleet.accept(snapshot("a", 1, 1, worker("w", state, 1, 0)));

        assertThat(fleet.ready("a", idle("w"))).isEqualTo(Ready.NOT_LOADING);

        assertThat(model("a").best().state()).isEqualTo(state);
    }

    @Test
    void readyCallChangesOnlyTheStateOfAListedWorker() {
        fleet.accept(snapshot("a", 1, 1, worker("w", "loading", 2, 0)));

        fleet.ready("a", worker("w", "idle", 65_536, 65_536));

        assertThat(model("a").best()).isEqualTo(worker("w", "idle", 2, 2));
    }

    private List<String> ids(String node) {
        return fleet.hive(node).orElseThrow().workers().stream()
                .map(WorkerSnapshot::id)
                .toList();
    }

    private List<String> nodes(String model) {
        return fleet.ofModel(model).stream().map(ModelView::node).toList();
    }

    private ModelView model(String node) {
        return fleet.ofModel("m").stream()
                .filter(view -> view.node().equals(node))
                .findFirst()
                .orElseThrow();
    }
}
