package io.github.workerregistry.examples.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.vertx.core.buffer.Buffer;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/** An HTTP server for JSON that answers every error as {@link ErrorJson}, without a stack trace. */
public final class JsonServer {

    /** For all responses: {@code snake_case}. */
    public static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    private final Listening listening;
    private final Routes routes = new Routes();
    private final Consumer<Exchange> others;
    private final Guard guard;

    /**
     * Creates a server that does not answer yet.
     *
     * @param listening its port
     * @param guard refuses requests of web pages
     * @param routes adds its endpoints
     */
    public JsonServer(Listening listening, Guard guard, Consumer<Routes> routes) {
        this(listening, guard, routes, exchange -> exchange.answer(new Answer(404, ErrorJson.of(404))));
    }

    /**
     * Creates a server that does not answer yet.
     *
     * @param listening its port
     * @param guard refuses requests of web pages
     * @param routes adds its endpoints
     * @param others answers requests for other paths; must not block
     */
    public JsonServer(Listening listening, Guard guard, Consumer<Routes> routes, Consumer<Exchange> others) {
        this.listening = listening;
        this.others = others;
        this.guard = guard;
        routes.accept(this.routes);
    }

    /** Starts answering requests. */
    public void start() {
        listening.answer(this::handle);
    }

    private void handle(Exchange exchange) {
        try {
            guard.check(exchange);
            if (!routes.handle(exchange)) {
                others.accept(exchange);
            }
        } catch (RuntimeException e) {
            exchange.fail(e);
        }
    }

    static Buffer buffer(Object json) {
        try {
            return Buffer.buffer(JSON.writeValueAsBytes(json));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
