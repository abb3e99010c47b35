package io.github.workerregistry.examples.queen;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** The endpoints of the queen for clients and workers, except execute, which is {@link ExecuteRelay}. */
final class QueenApi {

    /** Maximum number of concurrent lists: each blocks a thread until its client has read it, possibly for ever. */
    static final int MOST_LISTS = 16;

    /** The response to a look-up: the worker, and the hive to send the request to. */
    record Route(WorkerOnNode worker, HiveJson hive) {}

    /** The health of the queen, with its counts. */
    record Health(String status, String zookeeper, int hives, int unreachable, long workers) {}

    private static final Comparator<HiveView> BY_NODE =
            Comparator.comparing(hive -> hive.snapshot().node());

    private final Fleet fleet;
    private final Router router;
    private final Contact contact;
    private final Semaphore lists = new Semaphore(MOST_LISTS);

    QueenApi(Fleet fleet, Router router, Contact contact) {
        this.fleet = fleet;
        this.router = router;
        this.contact = contact;
    }

    void list(Context ctx) throws IOException {
        if (!lists.tryAcquire()) {
            throw Refusal.later("too_many_lists", MOST_LISTS + " lists are being read now");
        }
        try {
            writeList(ctx);
        } finally {
            lists.release();
        }
    }

    /** Streams the list: there may be a million workers. */
    private void writeList(Context ctx) throws IOException {
        Optional<String> node = query(ctx, "node");
        Optional<String> modelRef = query(ctx, "model_ref");
        Collection<HiveView> hives =
                node.isPresent() ? fleet.hive(node.get()).stream().toList() : fleet.hives();
        ctx.contentType("application/json");
        try (JsonGenerator json = JsonServer.JSON.createGenerator(ctx.outputStream())) {
            json.writeStartObject();
            json.writeArrayFieldStart("workers");
            for (HiveView hive : hives.stream().sorted(BY_NODE).toList()) {
                for (WorkerSnapshot worker : hive.workers()) {
                    if (modelRef.isEmpty() || modelRef.get().equals(worker.modelRef())) {
                        json.writePOJO(WorkerOnNode.of(worker, hive));
                    }
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    void hives(Context ctx) {
        List<HiveJson> hives =
                fleet.hives().stream().sorted(BY_NODE).map(this::json).toList();
        ctx.json(Map.of("hives", hives));
    }

    /** find_by_node_and_model of the specification, optionally for any node. */
    void route(Context ctx) {
        String modelRef = query(ctx, "model_ref").orElseThrow(() -> Refusal.invalid("model_ref is missing"));
        Optional<String> node = query(ctx, "node");
        ModelView found = router.best(modelRef, node)
                .orElseThrow(() -> contact.unknown(
                        "no_such_worker",
                        "no worker of this model_ref takes requests"
                                + node.map(n -> " on node " + n).orElse("")));
        HiveView hive = fleet.hive(found.node())
                .orElseThrow(() -> Refusal.later("gone", "the hive of that worker has just left"));
        ctx.json(new Route(WorkerOnNode.of(found.best(), hive), json(hive)));
    }

    /** The ready call of a worker. The next snapshot of its hive decides. */
    void ready(Context ctx) {
        Fields fields = Fields.parse(RequestBody.json(ctx));
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
        switch (fleet.ready(node, worker)) {
            case REGISTERED, KNOWN ->
                ctx.json(Map.of("message", "worker " + worker.id() + " is ready on node " + node));
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
        }
    }

    private static String url(Fields fields) {
        try {
            return HttpAddress.require(fields.name("url"));
        } catch (IllegalArgumentException e) {
            throw Refusal.invalid(e.getMessage());
        }
    }

    void health(Context ctx) {
        Collection<HiveView> hives = fleet.hives();
        ctx.json(new Health(
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

    private static Optional<String> query(Context ctx, String name) {
        return Optional.ofNullable(ctx.queryParam(name)).map(value -> Fields.requireName(value, name));
    }
}
