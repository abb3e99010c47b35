/**
 * A fault run: a hive with many real workers, an injector of faults, and a ledger of the faults and their expected
 * effects. It ends with a table, and with exit code 1 if a line of it is off. Uses only the library's public API.
 *
 * <p>Start at {@link io.github.workerregistry.examples.faults.FaultRun}, then {@code Ledger}, which checks, and
 * {@code Injector}, which injects faults. {@code PoolUnderFire} does the same to a pool of models beside it.
 */
package io.github.workerregistry.examples.faults;
