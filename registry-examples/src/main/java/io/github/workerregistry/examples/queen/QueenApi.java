package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.JsonLists;
import io.github.workerregistry.examples.http.Refusal;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The endpoints of the queen for clients and workers, except execute, which is {@link ExecuteRelay}. */
final class QueenApi {

    /** The response to a look-up: the worker, and the hive to send the request to. */
    record Route(WorkerOnNode worker, HiveJson hive) {}

    /** The health of the queen, with its counts. */
    record Health(String status, String zookeeper, int hives, int unreachable, long workers) {}

    private static final Comparator<HiveView> BY_NODE =
            Comparator.comparing(hive -> hive.snapshot().node());

    private final Fleet fleet;
    private final Router router;
    private final Contact contact;
    private final JsonLists lists = new JsonLists();

    QueenApi(Fleet fleet, Router router, Contact contact) {
        this.fleet = fleet;
        this.router = router;
        this.contact = contact;
    }

    /** There may be a million workers. */
    void list(Exchange exchange) {
        Optional<String> node = query(exchange, "node");
        Optional<String> modelRef = query(exchange, "model_ref");
        Collection<HiveView> hives =
                node.isPresent() ? fleet.hive(node.get()).stream().toList() : fleet.hives();
        lists.write(
                exchange,
                "workers",
                hives.stream()
                        .sorted(BY_NODE)
                        .flatMap(hive -> hive.workers().stream()
                                .filter(worker ->
                                        modelRef.isEmpty() || modelRef.get().equals(worker.modelRef()))
                                .map(worker -> WorkerOnNode.of(worker, hive)))
                        .iterator());
    }

    Answer hives(Exchange exchange) {
        List<HiveJson> hives =
                fleet.hives().stream().sorted(BY_NODE).map(this::json).toList();
        return Answer.ok(Map.of("hives", hives));
    }

    /** find_by_node_and_model of the specification, optionally for any node. */
    Answer route(Exchange exchange) {
        String modelRef = query(exchange, "model_ref").orElseThrow(() -> Refusal.invalid("model_ref is missing"));
        Optional<String> node = query(exchange, "node");
        ModelView found = router.best(modelRef, node)
                .orElseThrow(() -> contact.unknown(
                        "no_such_worker",
                        "no worker of this model_ref takes requests"
                                + node.map(n -> " on node " + n).orElse("")));
        HiveView hive = fleet.hive(found.node())
                .orElseThrow(() -> Refusal.later("gone", "the hive of that worker has just left"));
        return Answer.ok(new Route(WorkerOnNode.of(found.best(), hive), json(hive)));
    }

    /** The ready call of a worker. The next snapshot of its hive decides. */
    Answer ready(Exchange exchange, Fields fields) {
        String node = fields.name("node");
        int slots = fields.slots();
        WorkerSnapshot worker = new WorkerSnapshot(
                fields.name("worker_id"),
                url(fields),
                fields.name("model_ref"),
                fields.name("backend"),
                fields.number("device", 0, Integer.MAX_VALUE),
                WorkerSnapshot.IDLE,
                slots,
                slots,
                fields.optionalNumber("generation", 0, Integer.MAX_VALUE).orElse(1));
        return switch (fleet.ready(node, worker)) {
            case REGISTERED, KNOWN ->
                Answer.ok(Map.of("message", "worker " + worker.id() + " is ready on node " + node));
            case NO_SUCH_NODE -> throw new Refusal(404, "unknown_node", "no live hive owns the node " + node);
            case ANOTHER ->
                throw new Refusal(
                        409, "mismatch", "url or model_ref differs from that of this worker_id on node " + node);
            case NOT_LOADING ->
                throw new Refusal(409, "not_loading", "node " + node + " lists this worker as stopping or backing off");
            case TOO_MANY ->
                throw Refusal.later(
                        "too_many_unconfirmed",
                        "node " + node + " has " + Fleet.MOST_UNCONFIRMED + " unconfirmed workers already");
        };
    }

    private static String url(Fields fields) {
        try {
            return HttpAddress.require(fields.name("url"));
        } catch (IllegalArgumentException e) {
            throw Refusal.invalid(e.getMessage());
        }
    }

    Answer health(Exchange exchange) {
        Collection<HiveView> hives = fleet.hives();
        return Answer.ok(new Health(
                "ok",
                contact.hasZooKeeper() ? "connected" : "disconnected",
                hives.size(),
                (int) hives.stream()
                        .filter(hive -> contact.with(hive.snapshot().node()) != Contact.Trouble.NONE)
                        .count(),
                hives.stream().mapToLong(hive -> hive.workers().size()).sum()));
    }

    private HiveJson json(HiveView hive) {
        return HiveJson.of(hive, contact.with(hive.snapshot().node()), fleet.age(hive));
    }

    private static Optional<String> query(Exchange exchange, String name) {
        return exchange.query(name).map(value -> Fields.requireName(value, name));
    }
}
