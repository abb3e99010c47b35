package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SlotRequestTest {

    private static final SlotRequest LLAMA = SlotRequest.forModel("llama");

    private static WorkerInfo.Builder worker() {
        return SomeWorkers.worker("w")
                .modelRef("llama")
                .backend("cuda")
                .device(1)
                .labels(Map.of("tier", "fast"));
    }

    @Test
    void eachConstraintIsTested() {
        WorkerInfo worker = worker().build();

        assertThat(LLAMA.matches(worker)).isTrue();
        assertThat(SlotRequest.forModel("other").matches(worker)).isFalse();
        assertThat(LLAMA.onBackend("cuda").matches(worker)).isTrue();
        assertThat(LLAMA.onBackend("cpu").matches(worker)).isFalse();
        assertThat(LLAMA.onDevice(1).matches(worker)).isTrue();
        assertThat(LLAMA.onDevice(0).matches(worker)).isFalse();
        assertThat(LLAMA.withLabel("tier", "fast").matches(worker)).isTrue();
        assertThat(LLAMA.withLabel("tier", "slow").matches(worker)).isFalse();
        assertThat(LLAMA.withLabel("zone", "a").matches(worker)).isFalse();
        assertThat(LLAMA.excluding("other").matches(worker)).isTrue();
        assertThat(LLAMA.excluding("w").matches(worker)).isFalse();
    }

    @Test
    void requestForAnotherModelKeepsAllElse() {
        assertThat(everything("llama").withModel("alias")).isEqualTo(everything("alias"));
    }

    private static SlotRequest everything(String model) {
        return SlotRequest.forModel(model)
                .onBackend("cuda")
                .onDevice(1)
                .withLabel("tier", "fast")
                .excluding("w")
                .affinity("key")
                .priority(3)
                .waitIfAbsent();
    }

    @Test
    void labelsAndExclusionsAccumulate() {
        SlotRequest request =
                LLAMA.withLabel("a", "1").withLabel("b", "2").excluding("x").excluding("y");

        assertThat(request.labels()).isEqualTo(Map.of("a", "1", "b", "2"));
        assertThat(request.excluded()).isEqualTo(Set.of("x", "y"));
        assertThat(LLAMA.labels()).as("a changed copy").isEmpty();
    }

    @Test
    void equalityIsThatOfTheData() {
        SlotRequest request = LLAMA.onBackend("cuda")
                .onDevice(1)
                .withLabel("a", "1")
                .excluding("x")
                .affinity("key")
                .priority(5)
                .waitIfAbsent();

        assertThat(request)
                .isEqualTo(LLAMA.waitIfAbsent()
                        .priority(5)
                        .affinity("key")
                        .excluding("x")
                        .withLabel("a", "1")
                        .onDevice(1)
                        .onBackend("cuda"))
                .hasSameHashCodeAs(LLAMA.onBackend("cuda")
                        .onDevice(1)
                        .withLabel("a", "1")
                        .excluding("x")
                        .affinity("key"));
        assertThat(request).isNotEqualTo(request.priority(6)).isNotEqualTo(request.affinity("other"));
        assertThat(LLAMA).isNotEqualTo(LLAMA.waitIfAbsent()).isNotEqualTo(SlotRequest.forModel("other"));
    }

    @Test
    void textNamesWhatIsSetAndIsSanitised() {
        assertThat(LLAMA).hasToString("llama");
        assertThat(LLAMA.onBackend("cuda\n")
                        .onDevice(1)
                        .withLabel("a", "1")
                        .excluding("x")
                        .affinity("key")
                        .priority(5)
                        .waitIfAbsent())
                .hasToString("llama on backend cuda\\u000a on device 1 with label a=1 other than x, affinity key,"
                        + " priority 5, waits if absent");
    }

    @Test
    void negativeDeviceIsRejected() {
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> LLAMA.onDevice(-1))
                .withMessage("device must be >= 0, was -1");
    }

    @Test
    void eachDeviceOfASpanningWorkerMatches() {
        WorkerInfo worker = SomeWorkers.worker("w")
                .device(0)
                .labels(Map.of(WorkerInfo.DEVICES, "0,12"))
                .build();
        SlotRequest request = SlotRequest.forModel(worker.modelRef());

        assertThat(worker.devices()).isEqualTo("0,12");
        assertThat(request.onDevice(0).matches(worker)).isTrue();
        assertThat(request.onDevice(12).matches(worker)).isTrue();
        assertThat(request.onDevice(1).matches(worker)).isFalse();
        assertThat(request.onDevice(2).matches(worker)).isFalse();
    }
}
