package io.github.workerregistry.examples.queen;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A connection to a server on this machine that can be frozen, as if the server had frozen. */
final class Wire implements AutoCloseable {

    private final int server;
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Socket> ends = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean frozen;

    Wire(int server) throws IOException {
        this.server = server;
        threads.execute(this::accept);
    }

    String servers() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    void freeze() {
        frozen = true;
    }

    private void accept() {
        try {
            while (true) {
                Socket client = socket.accept();
                Socket other = new Socket(InetAddress.getLoopbackAddress(), server);
                ends.addAll(List.of(client, other));
                threads.execute(() -> carry(client, other));
                threads.execute(() -> carry(other, client));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void carry(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] piece = new byte[8192];
            for (int length = in.read(piece); length > 0; length = in.read(piece)) {
                if (frozen) {
                    closed.await();
                }
                out.write(piece, 0, length);
            }
            to.close();
        } catch (IOException | InterruptedException e) {
            // closed
        }
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        threads.shutdownNow();
        socket.close();
        for (Socket end : ends) {
            end.close();
        }
    }
}
