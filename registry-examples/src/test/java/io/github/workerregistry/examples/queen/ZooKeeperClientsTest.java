package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ZooKeeperClientsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "127.0.0.1:2181                | true",
                "localhost:2181,127.0.0.1:2/x  | true",
                "192.0.2.1:2181                | false",
                "127.0.0.1:2181,192.0.2.1:2181 | false",
                "no-such-host.invalid:2181     | false"
            })
    void serversAreOnThisMachineIfAllAreReachedOverItsLoopback(String servers, boolean here) {
        assertThat(ZooKeeperClients.areOnThisMachine(servers)).isEqualTo(here);
    }
}
