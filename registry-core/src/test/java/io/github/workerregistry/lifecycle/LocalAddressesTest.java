package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class LocalAddressesTest {

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8100, 127.0.0.1, 8100",
        "http://127.0.0.1:8100/v1?a=b#c, 127.0.0.1, 8100",
        "http://user:pass@127.0.0.1:8100, 127.0.0.1, 8100",
        "http://127.9.8.7:1, 127.9.8.7, 1",
        "http://127.0.0.1, 127.0.0.1, 80",
        "HTTPS://127.0.0.1/v1, 127.0.0.1, 443",
        "grpc://127.0.0.1:50051, 127.0.0.1, 50051",
        "http://[::1]:8100, 0:0:0:0:0:0:0:1, 8100",
        "https://[0:0:0:0:0:0:0:1], 0:0:0:0:0:0:0:1, 443",
        "http://[::ffff:127.0.0.1]:8100, 127.0.0.1, 8100",
        "http://0.0.0.0:8100, 127.0.0.1, 8100",
        "http://[::]:8100, 0:0:0:0:0:0:0:1, 8100",
    })
    void anIpAddressOfThisMachineIsUsedAsWritten(String url, String host, int port) throws Exception {
        assertThat(LocalAddresses.of(url)).singleElement().satisfies(address -> {
            assertThat(address.getAddress().getHostAddress()).isEqualTo(host);
            assertThat(address.getPort()).isEqualTo(port);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://localhost:8100", "http://LocalHost:8100/x"})
    void localhostIsBothLoopbackAddresses(String url) throws Exception {
        assertThat(LocalAddresses.of(url)).isEqualTo(LocalAddresses.loopback(8100));
        assertThat(LocalAddresses.loopback(8100))
                .extracting(address -> address.getAddress().getHostAddress())
                .containsExactly("127.0.0.1", "0:0:0:0:0:0:0:1");
    }

    /** A name would have to be resolved, which may block. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://gpu-1:8100",
                "http://localhost.example:8100",
                "http://300.1.1.1:8100",
                "http://127.1:8100",
                "http://1.2.3.4.5:8100",
                "http://0x7f.0.0.1:8100",
                "http://my_host:8100",
                "http://192.0.2.1:8100",
                "http://[2001:db8::1]:8100",
                "http://[fe80::1%nosuchinterface]:8100",
                "http://127.0.0.1:0",
                "http://127.0.0.1:65536",
                "http://127.0.0.1:99999999999",
                "grpc://127.0.0.1",
                "127.0.0.1:8100",
                "//127.0.0.1",
                "unix:/run/worker.sock",
                "not a url",
                "http://[::1",
                "http://",
            })
    void otherAddressesAreIgnored(String url) throws Exception {
        assertThat(LocalAddresses.of(url)).isEmpty();
    }

    @Test
    void anAddressOfAnInterfaceIsAnAddressOfThisMachine() throws Exception {
        Optional<InetAddress> own = anyAddressOfAnInterface();
        assumeThat(own).isPresent();

        assertThat(LocalAddresses.of("http://" + own.get().getHostAddress() + ":8100"))
                .isEqualTo(List.of(new InetSocketAddress(own.get(), 8100)));
    }

    private static Optional<InetAddress> anyAddressOfAnInterface() throws SocketException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                .findAny();
    }
}
