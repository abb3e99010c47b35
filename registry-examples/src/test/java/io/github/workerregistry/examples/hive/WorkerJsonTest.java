package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.Incarnation;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.examples.http.JsonServer;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkerJsonTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456789Z");

    @Test
    void workerHasTheFieldsOfTheSpecificationInSnakeCase() throws JsonProcessingException {
        WorkerInfo worker = WorkerInfo.builder()
                .id("w1")
                .url("http://127.0.0.1:8100")
                .modelRef("hf:model")
                .backend("cuda")
                .device(1)
                .state(new Busy())
                .slotsTotal(4)
                .slotsInUse(3)
                .failedHealthChecks(2)
                .pid(4711)
                .startedAt(START)
                .build();

        assertThat(json(WorkerJson.of(worker, START.plusSeconds(90))))
                .isEqualTo(
                        "{'id':'w1','url':'http://127.0.0.1:8100','model_ref':'hf:model','backend':'cuda','device':1,"
                                + "'state':'busy','last_activity':'2026-01-01T00:00:00.123Z','slots_total':4,'slots_available':1,"
                                + "'failed_health_checks':2,'pid':4711,'generation':1,'restarts':0,'last_heartbeat':null,'uptime_s':90}");
    }

    @Test
    void unknownPidIsNull() throws JsonProcessingException {
        WorkerInfo worker = WorkerInfo.builder()
                .id("w1")
                .url("http://h")
                .modelRef("m")
                .startedAt(START)
                .build();

        assertThat(json(WorkerJson.of(worker, START)))
                .contains("'state':'loading'")
                .contains("'pid':null");
    }

    @Test
    void exitHasItsCauseAndStatus() throws JsonProcessingException {
        Exit killed = new Exit(
                new Incarnation("w1", 1, START),
                "hf:model",
                Exit.Cause.IDLE_TIMEOUT,
                ExitStatus.requested(137),
                List.of("a \"b\"", "c"),
                START);

        assertThat(json(ExitJson.of(killed)))
                .isEqualTo(
                        "{'worker_id':'w1','model_ref':'hf:model','cause':'idle_timeout','exit_code':137,'signal':9,"
                                + "'requested':true,'generation':1,'output':['a \\'b\\'','c'],'at':'2026-01-01T00:00:00.123Z'}");
    }

    @Test
    void exitWithoutASignalHasNullSignal() throws JsonProcessingException {
        Exit crashed = new Exit(
                new Incarnation("w1", 1, START), "m", Exit.Cause.CRASHED, ExitStatus.unrequested(3), List.of(), START);

        assertThat(json(ExitJson.of(crashed))).contains("'exit_code':3,'signal':null,'requested':false");
    }

    private static String json(Object value) throws JsonProcessingException {
        return JsonServer.JSON.writeValueAsString(value).replace('"', '\'');
    }
}
