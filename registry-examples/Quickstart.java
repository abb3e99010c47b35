import com.sun.net.httpserver.HttpServer;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.Executors;

public class Quickstart {
  public static void main(String[] args) throws Exception {
    if (args.length > 0) { work(Integer.parseInt(args[0])); return; }
    var scheduler = Executors.newSingleThreadScheduledExecutor();
    var registry = WorkerRegistry.create();
    try (var supervisor = WorkerSupervisor.builder(registry, scheduler)
        .healthProbe(HttpHealthProbe.at("/health")).restartPolicy(RestartPolicy.never()).build()) {
      supervisor.spawn(WorkerSpec.builder().modelRef("tiny").command(  // or "llama-server", …
          System.getProperty("java.home") + "/bin/java", "-cp",
          System.getProperty("java.class.path"), "Quickstart", "{port}").build());
      try (var slot = registry.acquire("tiny", Duration.ofSeconds(30));  // waits for the load
           var answer = URI.create(slot.url()).toURL().openStream()) {
        System.out.println(new String(answer.readAllBytes()));
      }
    } finally {
      scheduler.shutdown();
    }
  }

  static void work(int port) throws IOException {  // any HTTP server will do
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, 0);
      try (exchange) { exchange.getResponseBody().write("Hello from a worker".getBytes()); }
    });
    server.start();
  }
}
