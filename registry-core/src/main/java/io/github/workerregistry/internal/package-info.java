/**
 * Code shared by the packages of this module; not exported. {@code Checks} and {@code Durations} check arguments,
 * {@code LogText}, {@code LogCharacters} and {@code CommandText} sanitise text for logs and messages,
 * {@code OutputLines} does so with the output of a worker. {@code JdkTimer} is the JDK's shared timer thread;
 * {@code SerialDelivery} calls a listener on its executor, and {@code ExecutorRefusals} detects an executor that will
 * accept no task again.
 */
@NullMarked
package io.github.workerregistry.internal;

import org.jspecify.annotations.NullMarked;
