package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.LiveStream;
import io.github.workerregistry.lifecycle.OutputListener;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the lines of a worker to a client, after its last lines. A line that is written at that moment may appear
 * twice. What a client is too slow for is dropped and counted. Used on the event loop of the client.
 */
final class LogFollower implements OutputListener {

    private static final int MOST_HELD = 1_000;

    private final LiveStream stream;
    private final List<String> held = new ArrayList<>();
    private boolean begun;
    private boolean ended;

    LogFollower(LiveStream stream) {
        this.stream = stream;
        stream.onCaughtUp(this::onDropped);
    }

    void begin(List<String> last) {
        begun = true;
        write(last);
        write(held);
        held.clear();
        if (ended) {
            stream.end();
        }
    }

    private void write(List<String> lines) {
        if (!lines.isEmpty()) {
            stream.write(LogApi.text(lines));
        }
    }

    @Override
    public void onLine(String line) {
        if (begun) {
            stream.write(line + "\n");
        } else if (held.size() < MOST_HELD) {
            held.add(line);
        }
    }

    @Override
    public void onEnd() {
        ended = true;
        if (begun) {
            stream.end();
        }
    }
}
