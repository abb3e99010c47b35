package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.Text;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The page for people at {@code /}, and its files at {@code /page/…}: plain HTML, CSS and JavaScript modules. */
final class Page {

    private static final String INDEX = "index.html";

    /** Nothing from elsewhere, nothing inline, in no frame. */
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            "X-Content-Type-Options",
            "nosniff",
            "Referrer-Policy",
            "no-referrer",
            "Cache-Control",
            "no-cache");

    private static final Map<String, String> TYPES = Map.of(
            INDEX,
            "text/html; charset=utf-8",
            "hive.css",
            "text/css; charset=utf-8",
            "icon.svg",
            "image/svg+xml",
            "chart.js",
            "text/javascript; charset=utf-8",
            "hive.js",
            "text/javascript; charset=utf-8",
            "log.js",
            "text/javascript; charset=utf-8",
            "rows.js",
            "text/javascript; charset=utf-8",
            "state.js",
            "text/javascript; charset=utf-8");

    private final Map<String, Answer> files = new HashMap<>();

    Page() {
        TYPES.forEach((file, type) -> files.put(file, Answer.ok(new Text(type, text(file), HEADERS))));
    }

    Answer index(Exchange exchange) {
        return file(INDEX);
    }

    Answer file(Exchange exchange) {
        return file(exchange.path("file"));
    }

    private Answer file(String name) {
        return Optional.ofNullable(files.get(name))
                .orElseThrow(() -> new Refusal(404, "not_found", "there is nothing at this path"));
    }

    private static String text(String file) {
        try (InputStream resource = Page.class.getResourceAsStream("page/" + file)) {
            if (resource == null) {
                throw new IllegalStateException("the page has no " + file);
            }
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
