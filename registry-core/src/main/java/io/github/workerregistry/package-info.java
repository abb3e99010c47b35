/**
 * The registry: values and the table of workers. No I/O, no process, no thread.
 *
 * <p>Start at {@link io.github.workerregistry.WorkerRegistry}. A {@link io.github.workerregistry.WorkerInfo} is a
 * snapshot of one worker; a {@link io.github.workerregistry.WorkerState} defines its legal transitions; a
 * {@link io.github.workerregistry.SlotLease} holds one slot of one worker.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API, values</b>: {@code WorkerInfo}, {@code WorkerState}, {@code Incarnation}, {@code Exit},
 *       {@code ExitStatus}, {@code StopReason}, {@code RegistryStats}, {@code SlotRequest}, {@code SlotSelection},
 *       {@code ModelDemand}.
 *   <li><b>API, services</b>: {@code WorkerRegistry}; {@code Supervision} for code that drives workers;
 *       {@code SlotLease}, {@code PendingSlot} and {@code LeaseEnd}; {@code WorkerListener}, {@code WorkerEvent},
 *       {@code Subscription}; {@code LeaseChecker} and {@code FailedLease}; {@code SlotUnavailableException} with
 *       {@code SlotTimeoutException}, {@code SlotQueueFullException} and {@code NoWorkerException};
 *       {@code DuplicateWorkerException}, {@code IllegalTransitionException}.
 *   <li><b>The lease path</b>, in this order: {@code ThreadHints}, {@code ModelTable}, {@code ModelSlots},
 *       {@code FreeSlots}, {@code WorkerEntry}, {@code Occupancy} (the one atomic word); {@code SlotSource} (where
 *       slots may be free), {@code SlotRules} and {@code SlotSettings} (what all models share).
 *   <li><b>Waiting</b>: {@code SlotWaitQueue}, {@code WaitersByRequest}, {@code Waiter} with {@code BlockingWaiter} and
 *       {@code AsyncWaiter}, {@code Deadlines}, {@code DeadlineHeap}, {@code CompletionLoop}, {@code SlotWork},
 *       {@code WaitTotals}; {@code DemandListeners}; {@code AffinityTable}; for the exceptions {@code SlotShortage},
 *       {@code StateCounts}, {@code ModelHistory}.
 *   <li><b>Transitions</b>: {@code WorkerTable} (the lock and the map), {@code RegistrySupervision},
 *       {@code WorkerEntry}, {@code Precondition}, {@code PendingEffects} (applied after the lock has been released),
 *       {@code EventFeed}, {@code ListenerQueue}.
 *   <li><b>Failed leases</b>: {@code LeaseCheckCoordinator}, {@code BarredWorkers}, {@code LeaseEndFutures};
 *       {@code LeaseLeaks} reports forgotten ones. {@code IdleActions}: what waits for the last release.
 *   <li><b>Clocks</b>: {@code MonotonicClock}, {@code SteadyClock}. <b>Records</b>: {@code Labels}.
 * </ul>
 *
 * <p>To read the code, begin with {@code WorkerState}, {@code WorkerInfo} and {@code Occupancy}, then
 * {@code WorkerEntry}, then {@code WorkerTable}. {@code FreeSlots} is the one complex data structure: it finds a free
 * slot in constant time among 100,000 workers.
 */
@NullMarked
package io.github.workerregistry;

import org.jspecify.annotations.NullMarked;
