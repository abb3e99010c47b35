package io.github.workerregistry.examples.demo;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;

/** Sends periodic heartbeats to the hive. */
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

    /** A failed heartbeat is ignored: the next one is sent anyway. */
    private void beat() {
        try {
            HiveCall.post(target, new byte[0]);
            lost = false;
        } catch (IOException e) {
            if (!lost) { // logged once, so that it does not displace the other last lines that the hive keeps
                Behaviour.say("a heartbeat did not reach the hive: " + e);
            }
            lost = true;
        }
    }
}
