package io.github.workerregistry.examples.demo;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;

/** Tells the hive again and again that this worker lives. */
final class Heartbeats {

    private final URI target;
    private final Duration interval;
    private final Behaviour behaviour;
    private boolean lost;

    Heartbeats(URI target, Duration interval, Behaviour behaviour) {
        this.target = target;
        this.interval = interval;
        this.behaviour = behaviour;
    }

    void begin() {
        Behaviour.daemon("heartbeats", () -> {
            while (true) {
                if (!behaviour.isMute()) {
                    beat();
                }
                Behaviour.pause(interval);
            }
        });
    }

    /** A hive that cannot be told now may be told next time. */
    private void beat() {
        try {
            HiveCall.post(target, new byte[0]);
            lost = false;
        } catch (IOException e) {
            if (!lost) { // say it once, or it would push all else out of the last lines that the hive keeps
                Behaviour.say("a heartbeat did not reach the hive: " + e);
            }
            lost = true;
        }
    }
}
