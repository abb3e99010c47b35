/**
 * Worker processes: start, exit detection, and termination of the whole process tree.
 *
 * <p>Start at {@link io.github.workerregistry.process.ProcessController}, the SPI, and
 * {@link io.github.workerregistry.process.WorkerProcess}, which it returns.
 * {@link io.github.workerregistry.process.LocalProcessController} is the implementation for this machine; its
 * documentation covers running a hive in a terminal, under systemd or in a container.
 * {@link io.github.workerregistry.process.OrphanReaper} kills the processes that a dead hive left behind.
 * {@link io.github.workerregistry.process.ProcessIdentity} identifies a process; a pid alone does not.
 *
 * <p>No class here starts a thread. Only the reaper and a failed start wait for a process. The owner of a
 * {@code WorkerProcess} polls it.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API</b>: the five classes above, {@code ProcessSpec}, {@code InheritedEnvironment}, {@code SpawnException},
 *       {@code ProcessUsage}, {@code OrphanReport}.
 *   <li><b>One worker process</b>: {@code LocalProcess}, {@code RootProcess}, {@code ProcessTermination} (signals and
 *       exit), {@code SignalMoment}, {@code TaskQueue}.
 *   <li><b>The tree of a process</b>: {@code ProcessTree}, {@code DescendantFinder}, {@code SharedSearch},
 *       {@code TreeSearch}, {@code TreeMembers}, {@code UnsureSearches}, {@code ProcessMark} and {@code Origin} (the
 *       mark in the environment), {@code KillLoop}, {@code Signal}, {@code StoppedProcessResumer},
 *       {@code OrphanSearch}.
 *   <li><b>The processes of the machine</b>: {@code ProcessTable}, {@code ProcessCache} (what was read of them),
 *       {@code ProcessReader}, {@code StatLine}, {@code PidCursor}.
 *   <li><b>Data from Linux</b>: {@code Proc}, {@code Reading} (read, absent, refused or failed),
 *       {@code UnreadableException}, {@code Liveness}, {@code LiveThreadFinder}, {@code HeldSockets},
 *       {@code ListeningSockets}, {@code PortOwner}, {@code Descriptors}, {@code TreeUsage}.
 *   <li><b>Output</b>: {@code OutputSource} with {@code PersistentOutput}, {@code TemporaryOutput} and
 *       {@code UnrecordedOutput}; {@code ProcessOutput}, {@code OutputFile}, {@code OutputFileName},
 *       {@code OutputFileChecks}, {@code HeldFile}, {@code AbandonedDirectories}.
 *   <li><b>Starting</b>: {@code OwnSession}, {@code ProgramSearch}, {@code ProcessText}.
 * </ul>
 *
 * <p>Reading order: {@code LocalProcessController}, then {@code ProcessTermination} (one worker process), then
 * {@code SharedSearch} and {@code TreeSearch} (how its descendants are found); {@code Proc} and {@code Reading} when
 * you come to Linux.
 */
@NullMarked
package io.github.workerregistry.process;

import org.jspecify.annotations.NullMarked;
