package io.github.workerregistry.examples.faults;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A minimal worker for the fault run: a process with a configurable health endpoint that prints a line ten times a
 * second. A run starts hundreds of them, so it does not use the JDK's HTTP server, which triples the start time (120 ms
 * of a core instead of 40).
 *
 * <p>{@code GET /health} initially answers 200. {@code GET /answer/<status>/<milliseconds>} sets the status and delay
 * of further answers, including pending ones. {@code GET /mute} stops its heartbeats, if it sends any.
 */
public final class FaultWorker {

    /** The exit code of a crashing worker. */
    static final int CRASH_CODE = 3;

    private static final int BACKLOG = 50;
    private static final int LINE_MILLIS = 100;
    private static final int LOOK_MILLIS = 10;

    private record Answer(int status, long millis) {}

    private volatile Answer answer = new Answer(200, 0);
    private volatile boolean mute;

    private FaultWorker() {}

    /**
     * Runs the worker until a signal ends it.
     *
     * @param args the port of 127.0.0.1 to listen on; and, for one that sends heartbeats, its id, the port to send them
     *     to, and how often, in milliseconds
     * @throws IOException if it cannot listen
     * @throws InterruptedException never
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        FaultWorker worker = new FaultWorker();
        int port = Integer.parseInt(args[0]);
        ServerSocket socket = new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress());
        daemon(() -> worker.acceptAll(socket));
        if (args.length > 1) {
            daemon(() -> worker.beat(args[1].getBytes(US_ASCII), Integer.parseInt(args[2]), Long.parseLong(args[3])));
        }
        for (long line = 1; ; line++) {
            System.out.println("fault worker on port " + port + ", line " + line);
            TimeUnit.MILLISECONDS.sleep(LINE_MILLIS);
        }
    }

    /** Program and arguments, with the placeholder that the library fills in. */
    static List<String> command() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx16m",
                "-Xss256k",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                classPath(),
                FaultWorker.class.getName(),
                "{port}");
    }

    /** A command that also sends heartbeats. */
    static List<String> beatingCommand(int port, Duration interval) {
        return Stream.concat(
                        command().stream(),
                        Stream.of("{id}", Integer.toString(port), Long.toString(interval.toMillis())))
                .toList();
    }

    /** A command that exits before it is ready, and leaves a child running. */
    static List<String> crashingCommand() {
        return List.of("sh", "-c", "sleep 7200 & echo cannot start; exit " + CRASH_CODE);
    }

    private static String classPath() {
        try {
            return Path.of(FaultWorker.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("cannot request where the worker's class comes from", e);
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }

    private void acceptAll(ServerSocket socket) {
        try {
            while (true) {
                Socket client = socket.accept();
                daemon(() -> serve(client));
            }
        } catch (IOException e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private void beat(byte[] id, int port, long millis) {
        try (DatagramSocket socket = new DatagramSocket()) {
            DatagramPacket beat = new DatagramPacket(id, id.length, InetAddress.getLoopbackAddress(), port);
            while (!mute) {
                socket.send(beat);
                TimeUnit.MILLISECONDS.sleep(millis);
            }
        } catch (IOException e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One request, one answer. */
    private void serve(Socket client) {
        try (client) {
            BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream(), US_ASCII));
            String request = in.readLine();
            if (request == null) {
                return;
            }
            for (String header = in.readLine(); header != null && !header.isEmpty(); ) {
                header = in.readLine();
            }
            int status = status(request.split(" ", -1)[1]);
            String head = "HTTP/1.1 " + status + " -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            client.getOutputStream().write(head.getBytes(US_ASCII));
        } catch (IOException clientHasGone) {
            // the supervisor probes again
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int status(String path) throws InterruptedException {
        if (path.startsWith("/answer/")) {
            String[] parts = path.split("/", -1);
            answer = new Answer(Integer.parseInt(parts[2]), Long.parseLong(parts[3]));
            return 200;
        }
        if (path.equals("/mute")) {
            mute = true;
            return 200;
        }
        long received = System.nanoTime();
        while (System.nanoTime() - received < TimeUnit.MILLISECONDS.toNanos(answer.millis)) {
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
        return answer.status;
    }
}
