package io.github.workerregistry.examples.bench;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;

/**
 * Measures what is too rare or too slow for JMH, and writes {@code latency.json}. Arguments: the directory to write to,
 * and the {@link Plan}.
 */
final class Latency {

    private Latency() {}

    public static void main(String[] args) throws Exception {
        ((Logger) LoggerFactory.getLogger("io.github.workerregistry")).setLevel(Level.ERROR); // each kill is a WARN
        Path directory = Files.createDirectories(Path.of(args[0]));
        Plan plan = Plan.of(args[1]);
        Figures figures = new Figures();
        new Footprint(plan.part(1_000_000)).measure(figures); // first, while the heap is empty
        new WakeUp(plan.part(10_000)).measure(figures);
        AffinitySimulation.measure(figures, plan.part(20));
        SwapSimulation.measure(figures, plan.part(10));
        new SwapLatency(plan.part(100)).measure(figures);
        new HealthRound(10_000, plan.part(100)).measure(figures);
        new KillToEvent(plan.part(200)).measure(figures);
        new StartLatency(plan.part(200)).measure(figures);
        new FollowPace(plan.part(5), plan.part(1024)).measure(figures);
        for (int workers : new int[] {10, 100, 1000}) {
            new ExitCost(plan.part(workers), 0).measure(figures);
            new ExitCost(plan.part(workers), plan.part(3000)).measure(figures);
        }
        figures.write(directory.resolve("latency.json"));
    }
}
