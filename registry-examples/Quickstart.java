import com.sun.net.httpserver.HttpServer;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.WorkerPool;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;

public class Quickstart {
  public static void main(String[] args) throws Exception {
    if (args.length > 0) { work(Integer.parseInt(args[0])); return; }
    var worker = WorkerSpec.builder().command(  // or "llama-server", …
        System.getProperty("java.home") + "/bin/java", "-cp",
        System.getProperty("java.class.path"), "Quickstart", "{port}");
    var scheduler = Executors.newSingleThreadScheduledExecutor();
    var registry = WorkerRegistry.create();
    try (var supervisor = WorkerSupervisor.builder(registry, scheduler)
          .healthProbe(HttpHealthProbe.at("/health")).build();
        var pool = WorkerPool.builder(registry, supervisor).config(PoolConfig.builder()
          .device("cpu", 0, 1).model(ModelSpec.builder("tiny").worker(worker).build())
          .model(ModelSpec.builder("small").worker(worker).build()).build()).build()) {
      for (var model : List.of("tiny", "small"))
        try (var slot = pool.acquire(model, Duration.ofSeconds(30));  // loads, evicts
            var answer = URI.create(slot.url()).toURL().openStream()) {
          answer.transferTo(System.out);
        }
    } finally {
      scheduler.shutdown();
    }
  }

  static void work(int port) throws IOException {  // any HTTP server
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", http -> {
      http.sendResponseHeaders(200, 0);
      try (http) { http.getResponseBody().write("Hello\n".getBytes()); }
    });
    server.start();
  }
}
