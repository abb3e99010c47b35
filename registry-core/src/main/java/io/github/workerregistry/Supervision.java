package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Loading;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The part of a registry that drives workers: used by a {@link io.github.workerregistry.lifecycle.WorkerSupervisor}, or
 * by a hive with its own loops. A hive with a supervisor does not need it.
 *
 * <h2>Acting on an earlier read</h2>
 *
 * <p>A worker may change between a read and the action that follows from it. So each action names the worker that it is
 * for, by one of:
 *
 * <ul>
 *   <li>an {@link Incarnation}: the action applies if the worker is still the same incarnation, even if its state has
 *       changed;
 *   <li>a {@link WorkerInfo} ({@code …IfUnchanged}, {@link #checkFailed}, {@link #removeUnstarted}): the action applies
 *       only if the worker is unchanged since it was read: same incarnation, same state, and not used if it was Idle.
 * </ul>
 *
 * <p>So an action never affects a worker's next incarnation, and one with a {@code WorkerInfo} never a worker that was
 * used meanwhile. If the condition does not hold, nothing changes.
 *
 * <p>Thread-safe. Listeners, loggers and clocks are called with no lock held.
 *
 * @since 0.1
 */
public interface Supervision {

    /**
     * Transitions a worker if it is still the same incarnation, even if its state has changed.
     *
     * @param incarnation the incarnation
     * @param next its next state
     * @return the worker after the transition; empty if this incarnation is no longer registered
     * @throws IllegalTransitionException as {@link WorkerRegistry#updateState(String, WorkerState)}
     * @throws IllegalArgumentException as {@link WorkerRegistry#updateState(String, WorkerState)}
     */
    Optional<WorkerInfo> transition(Incarnation incarnation, WorkerState next);

    /**
     * Transitions a worker if it is unchanged since it was read.
     *
     * @param seen the worker as it was read
     * @param next its next state
     * @return the worker after the transition; empty if it was removed or has changed
     * @throws IllegalTransitionException if there is no such transition; then nothing has changed
     * @throws IllegalArgumentException as {@link WorkerRegistry#updateState(String, WorkerState)}
     */
    Optional<WorkerInfo> transitionIfUnchanged(WorkerInfo seen, WorkerState next);

    /**
     * Starts the next generation of a BackingOff worker, possibly at another url, if the worker is unchanged since it
     * was read. (Another process may have bound its port meanwhile.) Open leases of the previous generation are void,
     * and keep their url. {@link #transitionIfUnchanged} to {@code Loading} does the same at the worker's current url.
     *
     * @param seen the worker as it was read, BackingOff
     * @param load the next state
     * @param url the address of the next generation, a name as in {@link WorkerInfo}
     * @return the worker, Loading, in its next generation; empty if it was removed or has changed
     * @throws IllegalTransitionException if it is not BackingOff; then nothing has changed
     * @throws IllegalArgumentException if the url is not a name, or the number of generations or restarts is
     *     {@code Integer.MAX_VALUE}; then nothing has changed
     */
    Optional<WorkerInfo> restartIfUnchanged(WorkerInfo seen, Loading load, String url);

    /**
     * Starts the next generation of a BackingOff worker with another specification, if the worker is unchanged since it
     * was read. As {@link #restartIfUnchanged}, but backend, device, number of slots and labels may change, too.
     *
     * @param seen the worker as it was read, BackingOff
     * @param next the next generation: {@code Loading}, with the id and the model of {@code seen}, and with the new
     *     {@code url}, {@code backend}, {@code device}, {@code slotsTotal} and {@code labels}. Its other components are
     *     not used; the registry sets them as for a restart
     * @return the worker, Loading, in its next generation; empty if it was removed or has changed
     * @throws IllegalTransitionException if it is not BackingOff; then nothing has changed
     * @throws IllegalArgumentException if {@code next} has another id or model, or is not Loading, or the number of
     *     generations or restarts is {@code Integer.MAX_VALUE}; then nothing has changed
     */
    Optional<WorkerInfo> replaceIfUnchanged(WorkerInfo seen, WorkerInfo next);

    /**
     * Removes a worker whose process has exited. Its open leases become void.
     *
     * @param exit the exit of its process
     * @return the worker's last state; empty if it was removed before, or the exit is of another incarnation
     */
    Optional<WorkerInfo> remove(Exit exit);

    /**
     * Removes a worker without a process, or whose process the hive terminates itself, if it is unchanged since it was
     * read.
     *
     * @param seen the worker as it was read
     * @param reason why it is removed
     * @return the worker's last state; empty if it was removed before, or has changed
     */
    Optional<WorkerInfo> removeIfUnchanged(WorkerInfo seen, StopReason reason);

    /**
     * Removes a worker whose process could not be started, with {@link Exit.Cause#START_FAILED}, if it is unchanged
     * since it was read.
     *
     * @param seen the worker as it was read
     * @return the worker's last state; empty if it was removed before, or has changed
     */
    Optional<WorkerInfo> removeUnstarted(WorkerInfo seen);

    /**
     * Stores the process id of an incarnation.
     *
     * @param incarnation the incarnation
     * @param pid its process id, &gt; 0
     * @return the worker after the change; empty if this incarnation is no longer registered
     * @throws IllegalArgumentException if {@code pid} is not positive
     */
    Optional<WorkerInfo> started(Incarnation incarnation, long pid);

    /**
     * Leases no slot of a loading incarnation until {@link #beginLeasing}, also when it is ready: for code that stops
     * other workers before this one serves its first request. Requests that this worker could serve wait.
     *
     * @param incarnation the incarnation
     * @return false if this incarnation is no longer registered, or is not Loading; then nothing has changed
     */
    boolean holdLeasing(Incarnation incarnation);

    /**
     * Begins to lease slots of an incarnation after {@link #holdLeasing}: at once, or as soon as it is ready.
     *
     * @param incarnation the incarnation
     * @return false if this incarnation is no longer registered, or its leasing is not held, or has been
     *     {@linkplain #endLeasing ended}
     */
    boolean beginLeasing(Incarnation incarnation);

    /**
     * Stops leasing slots of an incarnation whose process is known to have exited, before the exit is reported. State
     * and open leases do not change.
     *
     * @param incarnation the incarnation that has exited
     * @return false if this incarnation is no longer registered
     */
    boolean endLeasing(Incarnation incarnation);

    /**
     * Counts a failed health check if the worker is unchanged since it was read: a worker that was used meanwhile is
     * alive.
     *
     * @param seen the worker as it was read before the check
     * @return number of failed checks in a row; empty if the worker was removed or has changed
     */
    OptionalInt checkFailed(WorkerInfo seen);

    /**
     * Resets the number of failed health checks to 0. Neither state nor last activity change.
     *
     * @param incarnation the incarnation that passed its check
     * @return false if this incarnation is no longer registered
     */
    boolean checkPassed(Incarnation incarnation);

    /**
     * Counts a health check without a result, in {@link RegistryStats#healthChecksUnknown()}.
     *
     * @param incarnation the incarnation that was checked
     * @return false if this incarnation is no longer registered
     */
    boolean checkUnknown(Incarnation incarnation);

    /**
     * Marks a worker as suspected: it failed its checks, but together with so many others that the checks may be wrong
     * (mass-failure guard).
     *
     * @param incarnation the incarnation
     * @param reason why it would be stopped
     * @return false if this incarnation is no longer registered, or is suspected already
     */
    boolean suspect(Incarnation incarnation, StopReason reason);

    /**
     * Clears the suspicion of a worker.
     *
     * @param incarnation the incarnation
     * @return false if this incarnation is no longer registered, or is not suspected
     */
    boolean clearSuspicion(Incarnation incarnation);

    /**
     * The requests that wait for a slot, by model, for code that decides which workers run.
     *
     * @return an unmodifiable list of the models with waiting requests, in no particular order. Each is read at a
     *     moment of its own
     */
    List<ModelDemand> demand();

    /**
     * Registers a listener that is called for each request that begins to wait. It is called on the thread of the
     * request, before that waits, so it must not block: it should enqueue work, which reads {@link #demand()}. An
     * exception that it throws is logged.
     *
     * @param listener receives the name of the model; called with no lock held, by several threads at once
     * @return the registration; close it to unregister the listener
     */
    Subscription onDemand(Consumer<String> listener);

    /**
     * Runs an action once when a worker has no slot in use, or its incarnation has ended: at once on this thread, or on
     * the thread that releases the last slot or ends the incarnation. Costs other workers nothing. The worker may have
     * been leased again when the action runs. The action must not block: it should enqueue work. An exception that it
     * throws is logged.
     *
     * @param incarnation the incarnation
     * @param action run once, with no lock held
     * @return false if this incarnation is not registered; the action then never runs
     */
    boolean whenIdle(Incarnation incarnation, Runnable action);

    /**
     * Fails requests that wait for a slot of a model.
     *
     * @param modelRef the model
     * @param which selects the requests by what they ask for; called with no lock held, on a copy of the queue.
     *     Requests that join meanwhile are not failed. If it throws, so does this call; requests that it selected
     *     before have failed
     * @param exception creates a new exception for each request; called when the exception is about to be thrown or its
     *     stage to be completed, on that thread. The registry adds the state of the model. If it throws, the request
     *     fails with that
     * @return how many requests it has failed; others have been served or have ended meanwhile
     */
    int failWaiting(
            String modelRef, Predicate<SlotRequest> which, Supplier<? extends SlotUnavailableException> exception);

    /**
     * Clears which worker each thread used last, so that the next calls of {@link WorkerRegistry#tryAcquire(String)}
     * start with the first free worker of a model again. Otherwise each thread would keep its own worker busy, and
     * surplus workers would never reach the idle timeout. Called before the idle timeout is evaluated.
     */
    void forgetHints();

    /**
     * Logs at WARN, once each, the leases that have been open for longer than
     * {@link WorkerRegistry.Builder#leaseLeakThreshold}, with the stack of their acquisition. A supervisor calls this
     * every second. Does nothing unless a threshold was set.
     */
    void reportLeaks();

    /**
     * Registers a checker of workers with a {@linkplain SlotLease#fail failed} lease. A supervisor registers itself
     * when it is built. With several checkers, the one that {@linkplain LeaseChecker#drives drives} the worker's
     * process is asked first, then the others in registration order, until one accepts. If none accepts, the failed
     * lease is closed without a check.
     *
     * @param checker the checker; called with no lock held, on the thread that failed the lease
     * @return the registration; close it to unregister the checker. Checks in progress are not affected
     */
    Subscription registerLeaseChecker(LeaseChecker checker);

    /**
     * Runs an action on this thread, and delivers its events and the completions of {@link SlotLease#whenEnded} after
     * it has returned, so that a listener that blocks does not block the action. Calls nest; delivery follows the
     * outermost one.
     *
     * @param action run at once; its exception is thrown here, after the delivery
     */
    void deferEvents(Runnable action);

    /**
     * Whether any thread is calling a listener. The events of one listener are delivered by one thread at a time, so
     * {@link #deferEvents} may have returned while another thread still delivers events of its action.
     *
     * @return true if a call is in progress
     */
    boolean isDeliveringEvents();
}
