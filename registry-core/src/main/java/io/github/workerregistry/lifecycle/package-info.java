/**
 * The lifecycle of worker processes: spawn, ready, health, idle timeout, exit, restart, stop.
 *
 * <p>Start at {@link io.github.workerregistry.lifecycle.WorkerSupervisor}. A
 * {@link io.github.workerregistry.lifecycle.WorkerSpec} describes a worker, a
 * {@link io.github.workerregistry.lifecycle.LifecycleConfig} has the intervals and timeouts, and a
 * {@link io.github.workerregistry.lifecycle.RestartPolicy} decides on restarts.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API</b>: the four above, {@code PortPool}, {@code StopRequest}, {@code OutputListener},
 *       {@code ShutdownReport}, {@code SupervisorAccess} (for a pool), and the exceptions
 *       {@code NoSuchWorkerException}, {@code WorkerEndedException}, {@code UnkillableException},
 *       {@code PortsExhaustedException}.
 *   <li><b>Loops</b>, one small class each, stepped by {@code Tick.tick(now)}: {@code LivenessLoop},
 *       {@code RecordLoop}, {@code DroppedStartLoop}, {@code StopLoop} (these four also run while another loop blocks);
 *       {@code OutputLoop}, {@code ProbeLoop}, {@code FailedLeaseLoop}, {@code SlowLoadLoop}, {@code HeartbeatLoop},
 *       {@code LoadLoop}, {@code BusyLoop}, {@code IdleLoop}, {@code RestartLoop}. The loops use {@code ProbePace} with
 *       {@code HealthPace} and {@code ReadinessPace} (when a worker is probed), {@code ProbeQueue} (one probe of a
 *       worker at a time), {@code LeaseCheck} (after a failed lease). {@code LoopSchedule} runs them in their periods,
 *       {@code LoopRunner} on the hive's scheduler, {@code SchedulerFallback} and {@code BackupTimer} without it;
 *       {@code SlicedPass} bounds the time of one task.
 *   <li><b>Decisions</b>: {@code Spawner}, {@code Readiness}, {@code ProbeEvaluator}, {@code MassFailureGuard},
 *       {@code LastHealthAnswers}, {@code StallDetector}, {@code LoadDiagnosis} (why a load is not ready),
 *       {@code Stopper}, {@code ExitProcessor}, {@code ExitRecorder}, {@code ExitHistory}, {@code Shutdown}.
 *   <li><b>One worker</b>: {@code WorkerSeries} (all generations), {@code SupervisedWorker} (one generation),
 *       {@code WorkerRules} (its own rules, else the supervisor's), {@code WorkerName} (in log lines),
 *       {@code SerialExecutor} (its decisions, one after another), {@code ProcessStart}, {@code StopSequence},
 *       {@code StopLimits}, {@code RestartHistory}, {@code LoadProgress}; all of them in {@code SupervisedWorkers}.
 *   <li><b>Output</b>: {@code WorkerOutput} (last lines, usage), {@code OutputFeed} (reads the output of one worker for
 *       its followers), {@code LineSplitter}, {@code OutputFollower} (the queue of one listener).
 *   <li><b>Replacing</b>: {@code Replacer}, {@code Replacement}; {@code SurgeReplacement} (by another worker),
 *       {@code InPlaceReplacement} and {@code Revision} (by the next generation).
 *   <li><b>Starting</b>: {@code Launch}, {@code Placeholders}, {@code Template}, {@code SpecChecks}, {@code WorkerUrl},
 *       {@code WorkerIds}, {@code ProcessStarter}, {@code LateProcess}; ports in {@code LocalPorts},
 *       {@code LocalAddresses}, {@code PortOwnerCheck}.
 *   <li><b>Plumbing</b>: {@code PauseTracker} (pauses of this JVM, excluded from every deadline),
 *       {@code DeferredCallBacks} and {@code HiveFutures} (the hive's code runs outside of decisions),
 *       {@code ProcessReleaser}, {@code RunOnce}, {@code SafeLog}, {@code SharedSignal}; {@code RegistrySupervisors}
 *       and {@code SupervisedRecords} (which supervisor evaluates a worker).
 * </ul>
 *
 * <p>Reading order: the constructor of {@code WorkerSupervisor}, which wires all classes; then {@code Spawner},
 * {@code ExitProcessor} and {@code StopSequence}; then any loop.
 */
@NullMarked
package io.github.workerregistry.lifecycle;

import org.jspecify.annotations.NullMarked;
