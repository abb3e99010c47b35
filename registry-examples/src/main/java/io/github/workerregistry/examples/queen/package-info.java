/**
 * The queen: many hives as one, over Apache ZooKeeper.
 *
 * <p>Each hive keeps one ephemeral node in ZooKeeper, which holds a snapshot of its workers and goes with the hive; it
 * is the only one who writes it. The queen mirrors the nodes, looks up in memory, and sends requests to the hives. What
 * the queen knows is a hint: the hive's lease decides.
 *
 * <p>Start reading at {@link io.github.workerregistry.examples.queen.Queen}, then {@code RunningQueen}, where
 * everything is wired together. The hive's side is {@link io.github.workerregistry.examples.queen.HivePublisher}.
 */
package io.github.workerregistry.examples.queen;
