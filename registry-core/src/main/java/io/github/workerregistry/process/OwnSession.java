package io.github.workerregistry.process;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a program a session of its own, so that what a terminal or a service manager sends to the process group of this
 * JVM does not reach it: {@code setsid} (util-linux, busybox, toybox) stands in front of the command.
 *
 * <p>A child of the JVM leads no process group, so {@code setsid} makes the session and then executes the program
 * without a fork: pid, exit code and signals are the program's.
 */
final class OwnSession {

    private static final Logger log = LoggerFactory.getLogger(OwnSession.class);

    private static final String SETSID = "setsid";
    private static final List<String> USUAL_PLACES = List.of("/usr/bin", "/bin", "/usr/local/bin");

    private static final OwnSession SYSTEM = find(Optional.ofNullable(System.getenv("PATH")));

    private final ProgramSearch programs;
    private final Optional<String> setsid;
    private final AtomicBoolean told = new AtomicBoolean();

    OwnSession(ProgramSearch programs, Optional<String> setsid) {
        this.programs = programs;
        this.setsid = setsid;
    }

    /** By the setsid that was found when this JVM asked for the first time. */
    static OwnSession ofThisSystem() {
        return SYSTEM;
    }

    private static OwnSession find(Optional<String> path) {
        ProgramSearch programs = ProgramSearch.in(path);
        Stream<String> places = Stream.concat(programs.path().stream(), USUAL_PLACES.stream())
                .filter(directory -> new File(directory).isAbsolute()); // what another directory holds may change
        return new OwnSession(programs, new ProgramSearch(places.toList()).find(SETSID, Optional.empty()));
    }

    /**
     * The command that starts the program in a session of its own. Where there is no {@code setsid}, the command as it
     * is; also if the program is not found, so that the JDK tells why it cannot be started, or if it is a
     * {@code setsid} itself: a second one would fork.
     */
    List<String> command(ProcessSpec spec) {
        String program = spec.command().get(0);
        Optional<String> file = programs.find(program, spec.directory());
        if (setsid.isEmpty() && !told.getAndSet(true)) {
            log.info("there is no setsid here: workers run in the session of this JVM, and get what is sent to it");
        }
        if (setsid.isEmpty() || file.isEmpty() || new File(program).getName().equals(SETSID)) {
            return spec.command();
        }
        List<String> command = new ArrayList<>(List.of(setsid.get(), file.get()));
        command.addAll(spec.command().subList(1, spec.command().size()));
        return command;
    }
}
