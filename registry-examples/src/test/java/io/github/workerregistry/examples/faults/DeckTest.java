package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DeckTest {

    @Test
    void everyInjectedKindOccursWithinEnoughCards() {
        for (FaultKind kind : FaultKind.values()) {
            assertThat(Deck.owed(kind, Deck.enough())).as(kind.title()).isPositive();
        }
    }

    @Test
    void onlyUninjectedKindsAreOwedBeforeTheFirstCard() {
        for (FaultKind kind : FaultKind.values()) {
            boolean comes = kind == FaultKind.LOAD || kind == FaultKind.IDLE || kind.isOfThePool();
            assertThat(Deck.owed(kind, 0)).as(kind.title()).isEqualTo(comes ? 1 : 0);
        }
    }

    @Test
    void kindIsOwedOnceFewerCardsRemainThanItHas() {
        assertThat(Deck.owed(FaultKind.HANG, 22)).isZero(); // may be among the last
        assertThat(Deck.owed(FaultKind.HANG, 23)).isEqualTo(1);
        assertThat(Deck.owed(FaultKind.STOP, 21)).isZero();
        assertThat(Deck.owed(FaultKind.STOP, 22)).isEqualTo(1);
        assertThat(Deck.owed(FaultKind.STOP, 23)).isEqualTo(2);
        assertThat(Deck.owed(FaultKind.STOP, 43)).isEqualTo(2);
        assertThat(Deck.owed(FaultKind.STOP, 45)).isEqualTo(4);
    }

    /** For any shuffle, and any cards that are put back for a while. */
    @Test
    void deckNeverBringsLessThanOwed() {
        for (int seed = 0; seed < 200; seed++) {
            Random chance = new Random(seed);
            Deck deck = new Deck(new Random(~seed));
            Map<FaultKind, Integer> came = new EnumMap<>(FaultKind.class);
            for (int i = 0; i < 150; i++) {
                FaultKind kind = deck.next();
                if (chance.nextInt(3) == 0) {
                    deck.again(kind);
                } else {
                    deck.played();
                    came.merge(kind, 1, Integer::sum);
                }
                for (FaultKind owed : FaultKind.values()) {
                    if (!owed.isConsequence() && owed != FaultKind.KILL_POOL_FULL) {
                        assertThat(came.getOrDefault(owed, 0))
                                .as("%s, seed %d, card %d", owed, seed, i)
                                .isGreaterThanOrEqualTo(Deck.owed(owed, deck.count()));
                    }
                }
            }
            assertThat(deck.isThrough()).isTrue();
            assertThat(deck.count()).isGreaterThan(Deck.enough());
        }
    }
}
