package io.github.workerregistry.examples.queen;

import static io.github.workerregistry.examples.queen.Snapshots.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.examples.http.ForeignText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SnapshotCodecTest {

    private static final String WORKER = "[\"w\",\"http://h:1\",\"m\",\"cpu\",0,\"idle\",2,1,3]";

    @Test
    void decodedSnapshotEqualsTheEncodedOne() {
        Random random = new Random(42);
        for (int i = 0; i < 300; i++) {
            HiveSnapshot snapshot = any(random);

            assertThat(SnapshotCodec.decode(SnapshotCodec.encode(snapshot))).isEqualTo(snapshot);
        }
    }

    @Test
    void smallSnapshotIsPlainJsonAndALargeOneIsCompressed() {
        byte[] small = SnapshotCodec.encode(
                Snapshots.snapshot("box", 7, 9, new WorkerSnapshot("w", "http://h:1", "m", "cpu", 0, "idle", 2, 1, 3)));
        byte[] large = SnapshotCodec.encode(Snapshots.large(1000));

        assertThat(new String(small, StandardCharsets.UTF_8))
                .isEqualTo("{\"version\":1,\"node\":\"box\",\"url\":\"http://127.0.0.1:8081\",\"incarnation\":7,"
                        + "\"revision\":9,\"omitted\":0,\"workers\":[" + WORKER + "]}");
        assertThat(large.length).isLessThan(SnapshotCodec.json(Snapshots.large(1000)).length / 5);
    }

    @Test
    void tooLargeSnapshotIsTruncatedAndCountsOmittedWorkers() {
        HiveSnapshot large = Snapshots.large(3000);

        SnapshotCodec.Encoded part = SnapshotCodec.fitting(large, 4_000);
        HiveSnapshot read = SnapshotCodec.decode(part.bytes());

        assertThat(part.bytes().length).isBetween(2_000, 4_000);
        assertThat(read).isEqualTo(part.snapshot());
        assertThat(read.workers()).isEqualTo(large.workers().subList(0, 3000 - read.omitted()));
        assertThat(read.omitted()).isPositive();
        assertThat(SnapshotCodec.fitting(large).snapshot()).as("it fits whole").isEqualTo(large);
    }

    @Test
    void workersOfOneModelShareItsString() {
        HiveSnapshot read =
                SnapshotCodec.decode(SnapshotCodec.encode(Snapshots.snapshot("a", 1, 1, idle("v"), idle("w"))));

        assertThat(read.workers().get(0).modelRef())
                .isSameAs(read.workers().get(1).modelRef());
        assertThat(read.workers().get(0).backend())
                .isSameAs(read.workers().get(1).backend());
        assertThat(read.workers().get(0).state()).isSameAs(read.workers().get(1).state());
    }

    @Test
    void otherVersionIsRejectedWhateverItsContent() {
        assertThatThrownBy(() -> decode("{\"version\":2,\"hive\":{\"workers\":7}}"))
                .isInstanceOf(MalformedSnapshotException.class)
                .hasMessage("a snapshot of version 2; this program reads version 1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "null",
                "[]",
                "127.0.0.1",
                "\u001f\u008b\u0008",
                "{\"node\":\"a\",\"version\":1}",
                "{\"version\":\"1\"}",
                "{\"version\":1}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"http://h:1\",\"incarnation\":1,\"revision\":1,\"omitted\":0,\"workers\":null}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"http://h:1\",\"incarnation\":1,\"revision\":1,\"omitted\":0,\"workers\":[]} x",
                "{\"version\":1,\"node\":\"a/b\",\"url\":\"http://h:1\",\"incarnation\":1,\"revision\":1,\"omitted\":0,\"workers\":[]}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"file:///etc\",\"incarnation\":1,\"revision\":1,\"omitted\":0,\"workers\":[]}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"http://h:1/v1\",\"incarnation\":1,\"revision\":1,\"omitted\":0,\"workers\":[]}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"http://u@h:1\",\"incarnation\":1,\"revision\":1,\"omitted\":0,\"workers\":[]}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"http://h:1\",\"incarnation\":0,\"revision\":1,\"omitted\":0,\"workers\":[]}",
                "{\"version\":1,\"node\":\"a\",\"url\":\"http://h:1\",\"incarnation\":1.5,\"revision\":1,\"omitted\":0,\"workers\":[]}"
            })
    void malformedSnapshotIsRejectedWithTheDocumentedException(String text) {
        assertThatThrownBy(() -> SnapshotCodec.decode(text.getBytes(StandardCharsets.ISO_8859_1)))
                .isInstanceOf(MalformedSnapshotException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{}",
                "[\"w\",\"http://h:1\",\"m\",\"cpu\",0,\"idle\",2,1]",
                "[null,\"http://h:1\",\"m\",\"cpu\",0,\"idle\",2,1,3]",
                "[\"w\\n\",\"http://h:1\",\"m\",\"cpu\",0,\"idle\",2,1,3]",
                "[\"w\",\"http://h:1\",\"m\",\"cpu\",0,\"dead\",2,1,3]",
                "[\"w\",\"http://h:1\",\"m\",\"cpu\",0,\"idle\",2,3,3]",
                "[\"w\",\"http://h:1\",\"m\",\"cpu\",0,\"loading\",2,1,3]",
                "[\"w\",\"http://h:1\",\"m\",\"cpu\",\"0\",\"idle\",2,1,3]"
            })
    void invalidWorkerIsRejected(String worker) {
        assertThat(SnapshotCodec.decode(with(WORKER)).workers()).hasSize(1);
        assertThatThrownBy(() -> SnapshotCodec.decode(with(worker))).isInstanceOf(MalformedSnapshotException.class);
    }

    @Test
    void truncatedSnapshotIsRejected() {
        byte[] whole = SnapshotCodec.encode(Snapshots.large(100));
        Random random = new Random(7);
        for (int i = 0; i < 200; i++) {
            byte[] piece = Arrays.copyOf(whole, random.nextInt(whole.length));

            assertThatThrownBy(() -> SnapshotCodec.decode(piece)).isInstanceOf(MalformedSnapshotException.class);
        }
    }

    @Test
    void decompressionBombIsRejected() throws IOException {
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bomb)) {
            byte[] blanks = new byte[1 << 20];
            for (int i = 0; i <= SnapshotCodec.UNPACKED_LIMIT >> 20; i++) {
                out.write(blanks);
            }
        }

        assertThatThrownBy(() -> SnapshotCodec.decode(bomb.toByteArray()))
                .isInstanceOf(MalformedSnapshotException.class)
                .hasMessageContaining("when unpacked");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", "-a", "a b", "ä", "a,b", "a\n"})
    void invalidNodeNameIsRejected(String node) {
        assertThatThrownBy(() -> NodeName.require(node))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + node + "'");
        assertThat(NodeName.path("gpu-box.7_A")).isEqualTo("/worker-registry/hives/gpu-box.7_A");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gpu-box:8081",
                "https://gpu-box:8081",
                "file:///etc",
                "http://gpu-box:0",
                "http://gpu-box:65536",
                "http://gpu-box:99999999999",
                "http://gpu-box:",
                "http://gpu-box:8081/",
                "http://gpu-box:8081?a=b",
                "http://user@gpu-box:8081",
                "http://:8081",
                "http://gpu box:8081"
            })
    void invalidUrlIsRejectedWithItsText(String url) {
        assertThatThrownBy(() -> HttpAddress.require(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + url + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://gpu-box", "http://gpu-box:1", "http://10.0.0.1:65535", "http://[::1]:8081"})
    void httpAddressIsAccepted(String url) {
        assertThat(HttpAddress.require(url)).isEqualTo(url);
    }

    private static byte[] with(String worker) {
        return ("{\"version\":1,\"node\":\"a\",\"url\":\"http://h:1\",\"incarnation\":1,\"revision\":1,\"omitted\":0,"
                        + "\"workers\":[" + worker + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static HiveSnapshot decode(String json) {
        return SnapshotCodec.decode(json.getBytes(StandardCharsets.UTF_8));
    }

    private static HiveSnapshot any(Random random) {
        List<WorkerSnapshot> workers = new ArrayList<>();
        for (int i = random.nextInt(60); i > 0; i--) {
            int slots = 1 + random.nextInt(1000);
            String state = List.of("loading", "idle", "busy", "backing_off", "stopping")
                    .get(random.nextInt(5));
            boolean routable = state.equals("idle") || state.equals("busy");
            workers.add(new WorkerSnapshot(
                    name(random),
                    name(random),
                    name(random),
                    name(random),
                    random.nextInt(Integer.MAX_VALUE),
                    state,
                    slots,
                    routable ? random.nextInt(slots + 1) : 0,
                    random.nextInt(100)));
        }
        return new HiveSnapshot(
                "n" + random.nextInt(100),
                random.nextBoolean() ? "http://[::1]:8081" : "http://gpu-box.example",
                1 + random.nextLong(Long.MAX_VALUE - 1),
                1 + random.nextLong(Long.MAX_VALUE - 1),
                random.nextInt(10),
                workers);
    }

    /** With any characters that are valid in a name, including quotes and supplementary planes. */
    private static String name(Random random) {
        while (true) {
            String name = random.ints(1 + random.nextInt(20), 0x20, 0x1f700)
                    .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            try {
                return ForeignText.requireName(name, "name");
            } catch (IllegalArgumentException e) {
                // another one, then
            }
        }
    }
}
