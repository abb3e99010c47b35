package io.github.workerregistry.examples.hive;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A headless Chromium, driven by its DevTools protocol. */
final class Browser implements AutoCloseable, WebSocket.Listener {

    private static final int SMALLEST_PNG = 5_000;

    private final Process chromium;
    private final Path profile;
    private final WebSocket socket;
    private final StringBuilder received = new StringBuilder();
    private final AtomicInteger lastCall = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> calls = new ConcurrentHashMap<>();
    private final List<String> errors = new CopyOnWriteArrayList<>();

    /** The program; empty if there is none. */
    static Optional<Path> program() {
        return Stream.of("chromium", "chromium-browser", "google-chrome")
                .map(name -> Path.of("/usr/bin", name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Starts it with an empty profile in a directory. */
    Browser(Path program, Path profile) throws IOException, InterruptedException {
        this.profile = profile;
        ProcessBuilder builder = new ProcessBuilder(
                        program.toString(),
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--remote-debugging-port=0",
                        "--user-data-dir=" + profile,
                        "about:blank")
                .redirectErrorStream(true)
                .redirectOutput(profile.resolveSibling("chromium.log").toFile());
        builder.environment().put("TMPDIR", profile.toString());
        chromium = builder.start();
        Path portFile = profile.resolve("DevToolsActivePort");
        Awaitility.await()
                .until(() ->
                        Files.exists(portFile) && Files.readAllLines(portFile).size() == 2);
        String port = Files.readAllLines(portFile).get(0);
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(URI.create(page(port)), this)
                .join();
        for (String domain : List.of("Page", "Runtime", "Log")) {
            call(domain + ".enable", Map.of());
        }
    }

    private static String page(String port) throws IOException, InterruptedException {
        String pages = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list"))
                                .build(),
                        BodyHandlers.ofString())
                .body();
        for (JsonNode page : HiveClient.json(pages)) {
            if (page.get("type").textValue().equals("page")) {
                return page.get("webSocketDebuggerUrl").textValue();
            }
        }
        throw new AssertionError("no page: " + pages);
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
        received.append(text);
        if (last) {
            handle(HiveClient.json(received.toString()));
            received.setLength(0);
        }
        from.request(1);
        return null;
    }

    private void handle(JsonNode message) {
        String method = message.path("method").asText();
        if (message.has("id")) {
            calls.remove(message.get("id").intValue()).complete(message);
        } else if (method.equals("Runtime.exceptionThrown")
                || (method.equals("Runtime.consoleAPICalled")
                        && message.at("/params/type").asText().matches("error|warning|assert"))
                || (method.equals("Log.entryAdded")
                        && message.at("/params/entry/level").asText().equals("error"))) {
            errors.add(message.get("params").toString());
        }
    }

    private JsonNode call(String method, Map<String, Object> parameters) throws IOException {
        int id = lastCall.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        calls.put(id, answer);
        socket.sendText(
                        HiveClient.JSON.writeValueAsString(Map.of("id", id, "method", method, "params", parameters)),
                        true)
                .join();
        JsonNode message = answer.orTimeout(30, TimeUnit.SECONDS).join();
        if (message.has("error")) {
            throw new AssertionError(method + ": " + message);
        }
        return message.get("result");
    }

    void open(String url) throws IOException {
        call("Page.navigate", Map.of("url", url));
    }

    /** The value of a JavaScript expression. */
    JsonNode evaluate(String expression) throws IOException {
        JsonNode result = call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true));
        if (result.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + result);
        }
        return result.at("/result/value");
    }

    /** Whether an expression becomes true. */
    void await(String expression) {
        Awaitility.await(expression).until(() -> evaluate(expression).asBoolean());
    }

    void press(String key, int code) throws IOException {
        String text = key.equals("Enter") ? "\r" : "";
        call(
                "Input.dispatchKeyEvent",
                Map.of("type", "keyDown", "key", key, "code", key, "windowsVirtualKeyCode", code, "text", text));
        call("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key, "code", key, "windowsVirtualKeyCode", code));
    }

    void width(int pixels) throws IOException {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", pixels, "height", 900, "deviceScaleFactor", 1, "mobile", false));
    }

    void screenshot(Path file) throws IOException {
        JsonNode image = call("Page.captureScreenshot", Map.of("captureBeyondViewport", true));
        byte[] png = Base64.getDecoder().decode(image.get("data").textValue());
        if (png.length < SMALLEST_PNG) {
            throw new AssertionError("an empty screenshot");
        }
        Files.createDirectories(file.getParent());
        Files.write(file, png);
    }

    /** What the console has shown. */
    List<String> errors() {
        return List.copyOf(errors);
    }

    @Override
    public void close() {
        socket.abort();
        chromium.descendants().forEach(ProcessHandle::destroyForcibly);
        chromium.destroyForcibly().onExit().join();
        Awaitility.await().until(() -> chromium.descendants().findAny().isEmpty());
    }

    @Override
    public String toString() {
        return "Browser[" + profile + "]";
    }
}
