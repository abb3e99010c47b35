package io.github.workerregistry.examples.http;

import io.vertx.core.http.HttpMethod;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The endpoints of a server, by path and method. A path such as {@code /v1/workers/{id}} has parameters; an endpoint
 * that is added first comes first.
 */
public final class Routes {

    private final Map<String, Endpoints> byPath = new LinkedHashMap<>();

    /** The endpoints of one path, by the name of the method. */
    private record Endpoints(List<String> parts, Map<String, Consumer<Exchange>> byMethod) {

        /** The parameters of a path; empty if it is another path. */
        Optional<Map<String, String>> match(List<String> path) {
            if (path.size() != parts.size()) {
                return Optional.empty();
            }
            Map<String, String> parameters = new HashMap<>();
            for (int i = 0; i < parts.size(); i++) {
                String part = parts.get(i);
                if (part.startsWith("{")) {
                    parameters.put(part.substring(1, part.length() - 1), path.get(i));
                } else if (!part.equals(path.get(i))) {
                    return Optional.empty();
                }
            }
            return Optional.of(parameters);
        }

        void handle(Exchange exchange) {
            HttpMethod method = exchange.request().method();
            Consumer<Exchange> endpoint =
                    byMethod.get(method.equals(HttpMethod.HEAD) ? HttpMethod.GET.name() : method.name());
            if (endpoint == null) {
                exchange.response().putHeader("Allow", String.join(", ", byMethod.keySet()));
                exchange.answer(new Answer(405, ErrorJson.of(405)));
            } else {
                endpoint.accept(exchange);
            }
        }
    }

    /**
     * Adds an endpoint that reads.
     *
     * @param path its path
     * @param endpoint answers; must not block
     */
    public void get(String path, Function<Exchange, Answer> endpoint) {
        stream(path, exchange -> exchange.answer(endpoint.apply(exchange)));
    }

    /**
     * Adds an endpoint that reads, and writes its response itself.
     *
     * @param path its path
     * @param endpoint answers; must not block
     */
    public void stream(String path, Consumer<Exchange> endpoint) {
        add(HttpMethod.GET, path, endpoint);
    }

    /**
     * Adds an endpoint without a body.
     *
     * @param method its method
     * @param path its path
     * @param endpoint answers, on a thread that it may block
     */
    public void blocking(HttpMethod method, String path, Function<Exchange, Answer> endpoint) {
        add(method, path, exchange -> run(exchange, () -> endpoint.apply(exchange)));
    }

    /**
     * Adds an endpoint whose body is a JSON object.
     *
     * @param path its path
     * @param endpoint answers, on a thread that it may block
     */
    public void post(String path, BiFunction<Exchange, Fields, Answer> endpoint) {
        add(
                HttpMethod.POST,
                path,
                exchange -> RequestBody.json(exchange)
                        .map(body -> Fields.parse(body.bytes()))
                        .onSuccess(fields -> run(exchange, () -> endpoint.apply(exchange, fields)))
                        .onFailure(exchange::fail));
    }

    private static void run(Exchange exchange, Callable<Answer> endpoint) {
        exchange.vertx()
                .executeBlocking(endpoint, false)
                .onSuccess(exchange::answer)
                .onFailure(exchange::fail);
    }

    /**
     * Adds an endpoint that does all itself.
     *
     * @param method its method
     * @param path its path
     * @param endpoint must not block
     */
    public void add(HttpMethod method, String path, Consumer<Exchange> endpoint) {
        byPath.computeIfAbsent(path, p -> new Endpoints(List.of(p.split("/", -1)), new TreeMap<>()))
                .byMethod()
                .put(method.name(), endpoint);
    }

    /** Answers a request; false if it has no endpoint. */
    boolean handle(Exchange exchange) {
        List<String> path = decoded(exchange.request().path());
        for (Endpoints endpoints : byPath.values()) {
            Optional<Map<String, String>> parameters = endpoints.match(path);
            if (parameters.isPresent()) {
                endpoints.handle(exchange.with(parameters.get()));
                return true;
            }
        }
        return false;
    }

    private static List<String> decoded(String path) {
        if (!path.startsWith("/")) { // of another server, or of none
            throw invalid();
        }
        List<String> parts = new ArrayList<>();
        for (String part : path.split("/", -1)) {
            try {
                parts.add(URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                throw invalid();
            }
        }
        if (parts.stream().anyMatch(part -> part.chars().anyMatch(Character::isISOControl))) {
            throw invalid();
        }
        return parts;
    }

    private static Refusal invalid() {
        return new Refusal(400, "bad_request", "the path is not valid HTTP");
    }
}
