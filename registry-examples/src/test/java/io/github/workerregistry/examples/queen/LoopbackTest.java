package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoopbackTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://127.0.0.1:8081 | 127.0.0.1:2181                 | false",
                "http://127.0.0.1:8081 | localhost:2181,127.0.0.2:1/x   | false",
                "http://127.0.0.1:8081 | [::1]:2181                     | false",
                "http://127.0.0.1:8081 | 192.0.2.1:2181                 | true",
                "http://localhost:8081 | zk-1.invalid:2181              | true",
                "http://[::1]:8081     | 127.0.0.1:2181,192.0.2.1:2181  | true",
                "http://gpu-box:8081   | 192.0.2.1:2181                 | false",
                "http://192.0.2.2      | 192.0.2.1:2181                 | false"
            })
    void loopbackAddressIsUnreachableForUsersOfRemoteServers(String url, String servers, boolean expected) {
        assertThat(Loopback.isOutOfReach(url, servers)).isEqualTo(expected);
    }
}
