package io.github.workerregistry.examples.queen;

import static io.github.workerregistry.examples.queen.Snapshots.busy;
import static io.github.workerregistry.examples.queen.Snapshots.idle;
import static io.github.workerregistry.examples.queen.Snapshots.snapshot;
import static io.github.workerregistry.examples.queen.Snapshots.worker;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RouterTest {

    private final AtomicLong nanos = new AtomicLong();
    private final Fleet fleet = new Fleet(nanos::get);
    private final Contact contact = new Contact(nanos::get);
    private final Router router = new Router(fleet, contact);

    @BeforeEach
    void connect() {
        contact.zooKeeper(true);
    }

    @Test
    void freeSlotsRankFirstThenTheLowestLoad() {
        fleet.accept(snapshot("loading", 1, 1, worker("w1", "loading", 9, 0)));
        fleet.accept(snapshot("full", 1, 1, worker("w2", "busy", 9, 0)));
        fleet.accept(snapshot("half", 1, 1, worker("w3", "busy", 4, 2)));
        fleet.accept(snapshot("idle", 1, 1, busy("w4"), worker("w5", "idle", 4, 4)));
        fleet.accept(snapshot("ending", 1, 1, worker("w6", "stopping", 1, 0), worker("w7", "backing_off", 1, 0)));

        assertThat(order("m")).containsExactly("idle", "half", "full", "loading");
        assertThat(router.best("m", Optional.empty()).orElseThrow().best().id()).isEqualTo("w5");
    }

    @Test
    void amongEqualWorkersTheLessLoadedHiveRanksFirst() {
        fleet.accept(snapshot("crowded", 1, 1, busy("w1"), busy("w2"), idle("w3")));
        fleet.accept(snapshot("quiet", 1, 1, busy("w4"), idle("w5"), idle("w6")));

        assertThat(order("m")).containsExactly("quiet", "crowded");
    }

    @Test
    void amongEqualHivesTheChoiceIsRandom() {
        fleet.accept(snapshot("a", 1, 1, idle("w1")));
        fleet.accept(snapshot("b", 1, 1, idle("w2")));

        Set<String> chosen = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            chosen.add(order("m").get(0));
        }

        assertThat(chosen).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void requestsInFlightCountUntilTheyEnd() {
        fleet.accept(snapshot("a", 1, 1, idle("w1")));
        fleet.accept(snapshot("b", 1, 1, busy("w2")));
        ModelView chosen = router.best("m", Optional.empty()).orElseThrow();

        chosen.requestBegins();
        assertThat(chosen.usefulness()).isEqualTo(ModelView.Usefulness.BUSY);
        chosen.requestEnds();

        assertThat(chosen.usefulness()).isEqualTo(ModelView.Usefulness.FREE);
        assertThat(order("m")).containsExactly("a", "b");
    }

    @Test
    void nodeCanBeRequested() {
        fleet.accept(snapshot("a", 1, 1, idle("w1")));
        fleet.accept(snapshot("b", 1, 1, busy("w2"), worker("w3", "loading", 1, 0)));

        assertThat(router.best("m", Optional.of("b")).orElseThrow().best().id()).isEqualTo("w2");
        assertThat(router.best("m", Optional.of("c"))).isEmpty();
        assertThat(router.best("other", Optional.of("b"))).isEmpty();
    }

    @Test
    void hiveThatRefusedAConnectionRanksLastForAWhile() {
        fleet.accept(snapshot("a", 1, 1, idle("w1")));
        fleet.accept(snapshot("b", 1, 1, busy("w2")));

        contact.refused("a");
        assertThat(order("m")).containsExactly("b", "a");
        nanos.addAndGet(Contact.AVOID.toNanos() - 1);
        assertThat(order("m")).containsExactly("b", "a");
        nanos.addAndGet(1);
        assertThat(order("m")).containsExactly("a", "b");
    }

    @Test
    void onlyTheFirstRefusedConnectionIsReported() {
        assertThat(contact.refused("a")).isTrue();
        assertThat(contact.refused("a")).isFalse();
        assertThat(contact.refused("b")).isTrue();

        nanos.addAndGet(Contact.AVOID.toNanos());
        assertThat(contact.refused("a")).isTrue();
        contact.answered("a");
        assertThat(contact.refused("a")).isTrue();
    }

    @Test
    void hiveThatAnswersAgainRanksAsBefore() {
        fleet.accept(snapshot("a", 1, 1, idle("w1")));
        fleet.accept(snapshot("b", 1, 1, busy("w2")));
        contact.refused("a");

        contact.answered("a");

        assertThat(order("m")).containsExactly("a", "b");
        assertThat(contact.with("a")).isEqualTo(Contact.Trouble.NONE);
    }

    @Test
    void withoutZooKeeperAllHivesAreUnreachableButKeepTheirOrder() {
        fleet.accept(snapshot("a", 1, 1, idle("w1")));
        fleet.accept(snapshot("b", 1, 1, busy("w2")));
        contact.zooKeeper(false);

        assertThat(contact.with("a")).isEqualTo(Contact.Trouble.ZOOKEEPER);
        assertThat(order("m")).containsExactly("a", "b");
        contact.refused("a");
        assertThat(order("m"))
                .as("a hive that refused a connection ranks after one in an unknown state")
                .containsExactly("b", "a");
    }

    @Test
    void theBestHivesUpToTheLimitAreReturned() {
        for (int i = 0; i < 10; i++) {
            fleet.accept(snapshot("n" + i, 1, 1, worker("w" + i, "busy", 10, i)));
        }

        assertThat(router.best("m", Optional.empty(), 3))
                .extracting(ModelView::node)
                .containsExactly("n9", "n8", "n7");
    }

    private List<String> order(String model) {
        return router.best(model, Optional.empty(), 10).stream()
                .map(ModelView::node)
                .toList();
    }
}
