package io.github.workerregistry.examples.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The workers, and which of them are free, while slots are acquired and released. Every worker has one slot, like the
 * objects of an ordinary pool.
 *
 * @param workers number of workers, spread evenly over the models
 * @param free which of them are free
 * @param models number of models; at most the number of workers
 */
public record Workload(int workers, Free free, int models) {

    /** Which slots are free. The others are held during the whole run. */
    public enum Free {
        /** Every slot. */
        ALL,
        /** One in a hundred, evenly spread; with fewer than a hundred workers, one. */
        ONE_IN_A_HUNDRED,
        /** One of all, in the middle, so that scans from both ends take equally long. */
        ONE_SLOT;

        /** Its description. */
        String title() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    public Workload {
        models = Math.min(models, workers);
    }

    String id(int worker) {
        return "worker-" + worker;
    }

    String model(int model) {
        return "hf:TheBloke/Model-" + model;
    }

    /** Neighbours have the same model, so that each model with 100 workers has its share of the free slots. */
    int modelOf(int worker) {
        return (int) ((long) worker * models / workers);
    }

    boolean isFree(int worker) {
        return switch (free) {
            case ALL -> true;
            case ONE_IN_A_HUNDRED -> worker % 100 == Math.min(50, workers / 2);
            case ONE_SLOT -> worker == workers / 2;
        };
    }

    /** The workers of a model. */
    List<Integer> workersOf(int model) {
        int first = (int) (((long) model * workers + models - 1) / models);
        int end = (int) (((long) (model + 1) * workers + models - 1) / models);
        return IntStream.range(first, end).boxed().toList();
    }

    int heldOf(int model) {
        return (int) workersOf(model).stream().filter(worker -> !isFree(worker)).count();
    }

    /** The models with a free slot. Only these are requested; otherwise a caller would retry for ever. */
    String[] modelsWithFreeSlots() {
        return IntStream.range(0, workers)
                .filter(this::isFree)
                .map(this::modelOf)
                .distinct()
                .mapToObj(this::model)
                .toArray(String[]::new);
    }
}
