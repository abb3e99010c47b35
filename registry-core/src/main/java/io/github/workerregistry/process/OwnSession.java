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
 * Runs a program in its own session, so that signals of a terminal or a service manager to the process group of this
 * JVM do not reach it. Prepends {@code setsid} (util-linux, busybox, toybox) to the command.
 *
 * <p>A child of the JVM is not a process group leader, so {@code setsid} creates the session and executes the program
 * without a fork: pid, exit code and signals are those of the program.
 */
final class OwnSession {

    private static final Logger log = LoggerFactory.getLogger(OwnSession.class);

    private static final String SETSID = "setsid";
    private static final List<String> USUAL_PLACES = List.of("/usr/bin", "/bin", "/usr/local/bin");

    private static final OwnSession SYSTEM = find(Optional.ofNullable(System.getenv("PATH")));

    private final ProgramSearch programs;
    private final Optional<String> setsid;
    private final AtomicBoolean logged = new AtomicBoolean();

    OwnSession(ProgramSearch programs, Optional<String> setsid) {
        this.programs = programs;
        this.setsid = setsid;
    }

    /** Uses the {@code setsid} found on first use in this JVM. */
    static OwnSession ofThisSystem() {
        return SYSTEM;
    }

    private static OwnSession find(Optional<String> path) {
        ProgramSearch programs = ProgramSearch.in(path);
        Stream<String> places = Stream.concat(programs.path().stream(), USUAL_PLACES.stream())
                .filter(directory -> new File(directory).isAbsolute()); // not relative
        return new OwnSession(programs, new ProgramSearch(places.toList()).find(SETSID, Optional.empty()));
    }

    /**
     * The command that starts the program in its own session. Returns the command unchanged if there is no
     * {@code setsid}; if the program is not found, so that the JDK reports the reason; or if the program is
     * {@code setsid} itself, because a second one would fork.
     */
    List<String> command(ProcessSpec spec) {
        String program = spec.command().get(0);
        Optional<String> file = programs.find(program, spec.directory());
        if (setsid.isEmpty() && !logged.getAndSet(true)) {
            log.info("setsid not found: workers run in the session of this JVM and receive signals sent to its process"
                    + " group");
        }
        if (setsid.isEmpty() || file.isEmpty() || new File(program).getName().equals(SETSID)) {
            return spec.command();
        }
        List<String> command = new ArrayList<>(List.of(setsid.get(), file.get()));
        command.addAll(spec.command().subList(1, spec.command().size()));
        return command;
    }
}
