package io.github.workerregistry.examples.faults;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * The order of the faults: a deck of cards that is shuffled whenever it is used up, so that every kind occurs early and
 * often. A card that cannot be played now is put back, last in its deck.
 *
 * <p>So the minimum number of occurrences of a kind is known: for a complete deck, the number of its cards; for a
 * partial deck, the number that cannot be among the remaining cards.
 */
final class Deck {

    private static final List<FaultKind> CARDS = List.of(
            FaultKind.KILL,
            FaultKind.KILL,
            FaultKind.KILL,
            FaultKind.KILL,
            FaultKind.HANG,
            FaultKind.SICK,
            FaultKind.SICK,
            FaultKind.MUTE,
            FaultKind.MUTE,
            FaultKind.CRASH_LOOP,
            FaultKind.STOP,
            FaultKind.STOP,
            FaultKind.FORCE_KILL,
            FaultKind.OPERATOR_RESTART,
            FaultKind.OPERATOR_RESTART,
            FaultKind.PAUSE,
            FaultKind.PAUSE,
            FaultKind.SLOW,
            FaultKind.SLOW,
            FaultKind.HANG_AT_WORK,
            FaultKind.DISK_FULL,
            FaultKind.POOL_FULL);

    private static final int SIZE = CARDS.size();
    private static final Map<FaultKind, Integer> WEIGHTS = new EnumMap<>(FaultKind.class);

    static {
        CARDS.forEach(kind -> WEIGHTS.merge(kind, 1, Integer::sum));
    }

    private final Random random;
    private final List<FaultKind> cards = new ArrayList<>(List.of(FaultKind.KILL)); // first, before the pool is filled
    private int played;

    Deck(Random random) {
        this.random = random;
    }

    /** Draws the next card, which is then {@link #played} or put back ({@link #again}). */
    FaultKind next() {
        if (cards.isEmpty()) {
            cards.addAll(CARDS);
            Collections.shuffle(cards, random);
        }
        return cards.remove(cards.size() - 1);
    }

    void played() {
        played++;
    }

    void again(FaultKind kind) {
        cards.add(0, kind);
    }

    /** Whether a whole deck has been played. */
    boolean isThrough() {
        return played > SIZE;
    }

    /** Number of played cards. */
    int count() {
        return played;
    }

    /** Number of cards after which every kind has certainly occurred. */
    static int enough() {
        return 1 + SIZE;
    }

    /** The minimum number of occurrences of a kind, or of its effect, after a number of cards. */
    static int owed(FaultKind kind, int played) {
        return switch (kind) {
            case LOAD, IDLE -> 1; // the run starts with the first and waits for the second at its end
            case MODEL_KILL, MODEL_HANG, MODEL_FAILING, MODEL_UPDATE, MODEL_REQUEST -> 1; // the run waits for them
            case KILL, RESTART -> Math.min(played, 1); // the first card; a later one may find the pool full
            case KILL_POOL_FULL -> fromDecks(FaultKind.POOL_FULL, played); // each time that it is full
            case END -> fromDecks(FaultKind.STOP, played);
            default -> fromDecks(kind, played);
        };
    }

    private static int fromDecks(FaultKind card, int played) {
        int weight = WEIGHTS.get(card);
        int ofDecks = Math.max(0, played - 1);
        int left = SIZE - ofDecks % SIZE;
        return ofDecks / SIZE * weight + Math.max(0, weight - left);
    }
}
