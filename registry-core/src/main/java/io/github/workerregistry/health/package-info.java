/**
 * How to ask a worker whether it is well.
 *
 * <p>Start at {@link io.github.workerregistry.health.HealthProbe}: one method, and two implementations over HTTP and
 * TCP. When to ask, and what follows from the answers, is the business of {@link io.github.workerregistry.lifecycle}.
 */
@NullMarked
package io.github.workerregistry.health;

import org.jspecify.annotations.NullMarked;
