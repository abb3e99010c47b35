package io.github.workerregistry.process;

import io.github.workerregistry.LogText;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets stopped processes (SIGSTOP, or a terminal's Ctrl-Z) go on, so that they can obey a SIGTERM: it waits until then.
 * As systemd, s6 and runit do, with SIGCONT after SIGTERM.
 *
 * <p>The JDK sends no SIGCONT, so a shell does. It compares the start time right before, without starting a program in
 * between: the pid would have to change hands within microseconds, and SIGCONT does nothing to a process that runs.
 */
final class Resumption {

    private static final Logger log = LoggerFactory.getLogger(Resumption.class);

    /** Arguments: pid and start time of each. The name of the program, in parentheses, may hold anything. */
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

    private Resumption() {}

    /**
     * Sends SIGCONT to those that are stopped. Returns when a shell has been started for it, in a few milliseconds, and
     * at once if none is stopped. Where there is no shell they stay as they are; SIGKILL ends them all the same.
     *
     * @return false if it cannot be done now, and should be tried again
     */
    static boolean ofStopped(List<ProcessIdentity> processes) {
        boolean allSeen = true;
        List<String> arguments = new ArrayList<>();
        for (ProcessIdentity process : processes) {
            Reading<Boolean> stopped = Proc.isAvailable() ? Proc.isStopped(process.pid()) : Reading.gone();
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
