/**
 * The queen: presents many hives as one, coordinated by Apache ZooKeeper.
 *
 * <p>Each hive keeps one ephemeral node in ZooKeeper, which holds a snapshot of its workers and is removed with its
 * session; only this hive writes it. The queen mirrors the nodes, routes from memory, and sends requests to the hives.
 * The queen's state is a hint: the lease at the hive decides.
 *
 * <p>Start at {@link io.github.workerregistry.examples.queen.Queen}, then {@code RunningQueen}, which connects the
 * parts. The hive's side is {@link io.github.workerregistry.examples.queen.HivePublisher}.
 */
package io.github.workerregistry.examples.queen;
