package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.queen.Contact.Trouble;
import io.github.workerregistry.examples.queen.ModelView.Usefulness;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Chooses the hive for a request: reachable hives first; then the one whose best worker has a free slot and the lowest
 * load; then the one with the lowest total load; then a random one, so that several queens do not all choose the same.
 *
 * <p>One pass over the hives that have the model, without a lock.
 */
final class Router {

    private final Fleet fleet;
    private final Contact contact;

    /** A hive with its sort keys. */
    private record Candidate(
            ModelView view, Trouble trouble, Usefulness usefulness, double bestLoad, double load, int lot) {

        /** A plain loop, because it runs a thousand times per look-up. */
        boolean isBetterThan(Candidate other) {
            if (trouble != other.trouble) {
                return trouble.compareTo(other.trouble) < 0;
            }
            if (usefulness != other.usefulness) {
                return usefulness.compareTo(other.usefulness) < 0;
            }
            if (bestLoad != other.bestLoad) {
                return bestLoad < other.bestLoad;
            }
            return load != other.load ? load < other.load : lot < other.lot;
        }
    }

    Router(Fleet fleet, Contact contact) {
        this.fleet = fleet;
        this.contact = contact;
    }

    /** The best hive for a model, of all or of one node; its best worker is the one to use. */
    Optional<ModelView> best(String modelRef, Optional<String> node) {
        return best(modelRef, node, 1).stream().findFirst();
    }

    /** The best hives for a model, best first. Excludes hives whose workers are all stopping or backing off. */
    List<ModelView> best(String modelRef, Optional<String> node, int limit) {
        List<Candidate> best = new ArrayList<>(limit + 1);
        for (ModelView view : node.isEmpty() ? fleet.ofModel(modelRef) : fleet.ofModel(modelRef, node.get())) {
            Usefulness usefulness = view.usefulness();
            if (usefulness != Usefulness.NONE) {
                insert(best, candidate(view, usefulness), limit);
            }
        }
        return best.stream().map(Candidate::view).toList();
    }

    private static void insert(List<Candidate> best, Candidate candidate, int limit) {
        int place = best.size();
        while (place > 0 && candidate.isBetterThan(best.get(place - 1))) {
            place--;
        }
        best.add(place, candidate);
        if (best.size() > limit) {
            best.remove(limit);
        }
    }

    /** A hive that refused a connection ranks after one in an unknown state, and both after a reachable one. */
    private Candidate candidate(ModelView view, Usefulness usefulness) {
        return new Candidate(
                view,
                contact.with(view.node()),
                usefulness,
                view.bestLoad(),
                view.load(),
                ThreadLocalRandom.current().nextInt());
    }
}
