/**
 * Code shared by the packages of this module; not exported. {@code Checks} and {@code Durations} check arguments,
 * {@code LogText}, {@code LogCharacters} and {@code CommandText} sanitise text for logs and messages, {@code JdkTimer}
 * is the JDK's shared timer thread.
 */
@NullMarked
package io.github.workerregistry.internal;

import org.jspecify.annotations.NullMarked;
