package io.github.workerregistry.process;

import io.github.workerregistry.internal.LogText;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Resumes stopped processes (SIGSTOP, or Ctrl-Z in a terminal), so that they handle a pending SIGTERM. Sends SIGCONT
 * after SIGTERM, as systemd, s6 and runit do.
 *
 * <p>The JDK cannot send SIGCONT, so a shell does. It compares the start time immediately before, without starting a
 * program in between: a wrong process is signalled only if the pid is reused within microseconds, and SIGCONT has no
 * effect on a running process.
 */
final class StoppedProcessResumer {

    private static final Logger log = LoggerFactory.getLogger(StoppedProcessResumer.class);

    /**
     * Arguments: pid and start time of each. The program name in {@code stat}, in parentheses, may contain any
     * character.
     */
    private static final String SCRIPT = """
            start_of() { shift 19; start=$1; }
            while [ $# -ge 2 ]; do
              stat= start=
              while IFS= read -r line; do stat="$stat $line"; done < /proc/"$1"/stat
              [ -z "$stat" ] || start_of ${stat##*) }
              [ "$start" = "$2" ] && kill -s CONT "$1"
              shift 2
            done
            """;

    private static final String SHELL = "/bin/sh";

    private StoppedProcessResumer() {}

    /**
     * Sends SIGCONT to the stopped processes. Returns when the shell has been started, in a few milliseconds, or
     * immediately if none is stopped. Does nothing if there is no shell; SIGKILL works nevertheless.
     *
     * @return false if it failed temporarily and should be tried again
     */
    static boolean ofStopped(List<ProcessIdentity> processes) {
        boolean allSeen = true;
        List<String> arguments = new ArrayList<>();
        for (ProcessIdentity process : processes) {
            Reading<Boolean> stopped = Proc.isAvailable() ? Proc.isStopped(process.pid()) : Reading.absent();
            allSeen &= !stopped.hasFailed();
            if (stopped.value().orElse(false)) {
                arguments.add(Long.toString(process.pid()));
                arguments.add(Long.toString(process.startTime()));
            }
        }
        return (arguments.isEmpty() || resume(arguments)) && allSeen;
    }

    private static boolean resume(List<String> arguments) {
        if (!new File(SHELL).canExecute()) {
            return true;
        }
        List<String> command = new ArrayList<>(List.of(SHELL, "-c", SCRIPT, "resume"));
        command.addAll(arguments);
        try {
            Process unused = new ProcessBuilder(command)
                    .redirectInput(Redirect.from(Redirect.DISCARD.file()))
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start();
            return true;
        } catch (IOException | OutOfMemoryError e) {
            log.debug("stopped processes cannot be resumed now", LogText.of(e));
            return false;
        }
    }
}
