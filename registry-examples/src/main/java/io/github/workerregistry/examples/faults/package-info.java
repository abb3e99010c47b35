/**
 * A fault run: a hive with many real workers, something that keeps breaking them, and a ledger that knows what was
 * broken and what had to follow. It ends with a table, and with exit code 1 if a line of it is off. Only the library's
 * public API is used.
 *
 * <p>Start reading at {@link io.github.workerregistry.examples.faults.FaultRun}, then {@code Ledger}, which judges, and
 * {@code Injector}, which breaks things.
 */
package io.github.workerregistry.examples.faults;
