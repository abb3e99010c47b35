package io.github.workerregistry.examples.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;

/**
 * Processes of this machine that have nothing to do with the hive, to show what a search of all processes costs. They
 * run until {@link #close()}, or until this JVM dies: their shell reads from a pipe of this JVM.
 */
final class Strangers implements AutoCloseable {

    private static final String SCRIPT =
            "i=0; while [ $i -lt $0 ]; do sleep 3600 & i=$((i + 1)); done; echo started; read end; kill -9 0";

    private final Process shell;

    private Strangers(Process shell) {
        this.shell = shell;
    }

    static Strangers start(int count) throws IOException {
        // a session of its own, so that the shell's "kill 0" ends nothing else
        Process shell = new ProcessBuilder("setsid", "sh", "-c", SCRIPT, Integer.toString(count))
                .redirectError(Redirect.INHERIT)
                .start();
        BufferedReader output = shell.inputReader(StandardCharsets.UTF_8);
        String line = output.readLine();
        if (!"started".equals(line)) {
            throw new IOException("cannot start " + count + " processes, the shell printed " + line);
        }
        return new Strangers(shell);
    }

    @Override
    public void close() throws IOException {
        shell.getOutputStream().close();
        shell.onExit().join();
    }
}
