package io.github.workerregistry.examples.queen;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Snapshots as bytes: JSON, compressed with gzip if large. The formats are distinguishable, so a small snapshot can be
 * read with ZooKeeper's own shell. The version is the first field and is checked first.
 *
 * <p>ZooKeeper accepts at most 1 MiB per node. A larger snapshot is truncated: see {@link #fitting}.
 */
final class SnapshotCodec {

    /** The version of the format, the only one that is written and read. */
    static final int VERSION = 1;

    /** The size in bytes from which a snapshot is compressed. */
    static final int GZIP_THRESHOLD = 2048;

    /** Maximum size of a snapshot in bytes: ZooKeeper's limit of 1 MiB minus the overhead of a request. */
    static final int LIMIT = 1_000_000;

    /** Maximum size of a decompressed snapshot in bytes: 16 MiB. More is an attack or an error. */
    static final int UNPACKED_LIMIT = 16 << 20;

    private static final SerializedString VERSION_FIELD = new SerializedString("version");

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .build();

    /** A snapshot with its version, as written. */
    @JsonPropertyOrder({"version", "node", "url", "incarnation", "revision", "omitted", "workers"})
    private record Wire(
            int version,
            String node,
            String url,
            long incarnation,
            long revision,
            int omitted,
            List<WorkerSnapshot> workers) {

        static Wire of(HiveSnapshot snapshot) {
            return new Wire(
                    VERSION,
                    snapshot.node(),
                    snapshot.url(),
                    snapshot.incarnation(),
                    snapshot.revision(),
                    snapshot.omitted(),
                    snapshot.workers());
        }

        HiveSnapshot snapshot() {
            return new HiveSnapshot(node, url, incarnation, revision, omitted, workers);
        }
    }

    /**
     * A snapshot and its bytes.
     *
     * @param snapshot the decoded snapshot
     * @param bytes at most {@value SnapshotCodec#LIMIT}
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Encoded(HiveSnapshot snapshot, byte[] bytes) {}

    private SnapshotCodec() {}

    /** Encodes a snapshot, whatever its size. */
    static byte[] encode(HiveSnapshot snapshot) {
        return pack(json(snapshot));
    }

    private static byte[] pack(byte[] json) {
        return json.length < GZIP_THRESHOLD ? json : gzip(json);
    }

    static byte[] json(HiveSnapshot snapshot) {
        try {
            return MAPPER.writeValueAsBytes(Wire.of(snapshot));
        } catch (JacksonException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Encodes as much of a snapshot as fits: all of it, or the first workers and the number of omitted ones. A write
     * that is too large would close the hive's connection, again at every retry.
     */
    static Encoded fitting(HiveSnapshot snapshot) {
        return fitting(snapshot, LIMIT);
    }

    static Encoded fitting(HiveSnapshot snapshot, int limit) {
        HiveSnapshot part = snapshot;
        while (true) {
            byte[] json = json(part);
            byte[] bytes = pack(json);
            double excess = Math.max(bytes.length / (double) limit, json.length / (double) UNPACKED_LIMIT);
            if (excess <= 1 || part.workers().isEmpty()) {
                return new Encoded(part, bytes);
            }
            int fit = (int) (0.95 * part.workers().size() / excess);
            part = snapshot.withWorkers(
                    snapshot.workers().subList(0, fit), snapshot.workers().size() - fit);
        }
    }

    /**
     * Reads a snapshot.
     *
     * @throws MalformedSnapshotException if it is malformed or has another version
     */
    static HiveSnapshot decode(byte[] bytes) {
        try {
            byte[] json = isGzip(bytes) ? gunzip(bytes) : bytes;
            requireVersion(json);
            return MAPPER.readValue(json, Wire.class).snapshot();
        } catch (JacksonException e) {
            throw new MalformedSnapshotException("no snapshot: " + e.getOriginalMessage(), e);
        } catch (IOException | IllegalArgumentException | NullPointerException e) {
            throw new MalformedSnapshotException("no snapshot: " + e.getMessage(), e);
        }
    }

    private static void requireVersion(byte[] json) throws IOException {
        try (JsonParser parser = MAPPER.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT || !parser.nextFieldName(VERSION_FIELD)) {
                throw new MalformedSnapshotException("no snapshot: it does not begin with its version");
            }
            int version = parser.nextIntValue(-1);
            if (version != VERSION) {
                throw new MalformedSnapshotException(
                        "a snapshot of version " + version + "; this program reads version " + VERSION);
            }
        }
    }

    private static boolean isGzip(byte[] bytes) {
        return bytes.length > 1 && bytes[0] == (byte) 0x1f && bytes[1] == (byte) 0x8b;
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(bytes.length / 3);
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return packed.toByteArray();
    }

    private static byte[] gunzip(byte[] bytes) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            byte[] unpacked = in.readNBytes(UNPACKED_LIMIT + 1);
            if (unpacked.length > UNPACKED_LIMIT) {
                throw new MalformedSnapshotException("more than " + UNPACKED_LIMIT + " bytes when unpacked");
            }
            return unpacked;
        }
    }
}
