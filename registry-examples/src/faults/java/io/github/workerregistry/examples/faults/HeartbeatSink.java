package io.github.workerregistry.examples.faults;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.workerregistry.WorkerRegistry;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Receives heartbeats, which are datagrams with the worker id, and reports them to the registry. */
final class HeartbeatSink implements AutoCloseable {

    private static final int LONGEST_ID = 256;

    private final WorkerRegistry registry;
    private final DatagramSocket socket;

    private HeartbeatSink(WorkerRegistry registry, DatagramSocket socket) {
        this.registry = registry;
        this.socket = socket;
    }

    /** Starts listening on a free port of 127.0.0.1. */
    static HeartbeatSink open(WorkerRegistry registry) throws IOException {
        HeartbeatSink sink = new HeartbeatSink(
                registry, new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)));
        new Thread(sink::listen, "heartbeats").start();
        return sink;
    }

    int port() {
        return socket.getLocalPort();
    }

    private void listen() {
        DatagramPacket beat = new DatagramPacket(new byte[LONGEST_ID], LONGEST_ID);
        try {
            while (true) {
                socket.receive(beat);
                registry.heartbeat(new String(beat.getData(), 0, beat.getLength(), US_ASCII));
                beat.setLength(LONGEST_ID);
            }
        } catch (IOException closed) {
            // closed
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
