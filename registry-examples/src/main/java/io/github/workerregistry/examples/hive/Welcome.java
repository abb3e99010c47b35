package io.github.workerregistry.examples.hive;

import static java.util.stream.Collectors.joining;

import io.github.workerregistry.lifecycle.RestartPolicy.Mode;
import java.util.ArrayList;
import java.util.List;

/** The welcome message of the hive: its url, and commands to try. */
final class Welcome {

    /** The model of the workers that the hive starts at its own start. */
    static final String FIRST_MODEL = "demo";

    private static final String SPAWN_BODY = "'{\"model_ref\": \"%s\", \"backend\": \"cpu\", \"device\": 0%s}'";

    private final String url;
    private final List<String> lines = new ArrayList<>();

    private Welcome(String url) {
        this.url = url;
    }

    static String text(String url, HiveOptions options) {
        return new Welcome(url).text(options);
    }

    private String text(HiveOptions options) {
        int workers = options.workers();
        String first = " and starts " + workers + (workers == 1 ? " worker" : " workers") + " of model " + FIRST_MODEL;
        lines.add("The hive listens on " + url + (workers == 0 ? "" : first) + ".");
        lines.add("Try, in another terminal:");
        lines.add("");
        attempt("see the workers", "curl " + url + "/v1/workers/list");
        String modelPath = options.template().uses("model_path") ? ", \"model_path\": \"/models/a.gguf\"" : "";
        attempt("start one", post("/v1/workers/spawn", SPAWN_BODY.formatted("hf:model", modelPath)));
        String model = workers == 0 ? "hf:model" : FIRST_MODEL;
        attempt(
                "send a request",
                post("/v1/execute -N", "'{\"model_ref\": \"" + model + "\", \"prompt\": \"Hello\"}'"));
        if (options.hasDemoModels()) {
            attempt(
                    "see a swap: " + String.join(" and ", DemoConfig.MODELS)
                            + " are loaded on demand, and there is room for one",
                    DemoConfig.MODELS.stream()
                            .map(name -> post("/v1/chat/completions", chat(name)))
                            .collect(joining("; ")));
        }
        if (options.isDemo()) {
            attempt(
                    "start one that misbehaves: hang-health-after=5s crash-after=5s crash-while-loading"
                            + " hang-while-loading mute-after=5s fork flood",
                    post("/v1/workers/spawn", SPAWN_BODY.formatted("demo:ignore-sigterm,load-time=3s", "")));
        }
        attempt("stop one, with an id from the list", "curl -X DELETE " + url + "/v1/workers/ID");
        attempt("restart one, with an id from the list", "curl -X POST " + url + "/v1/workers/ID/restart");
        boolean comesBack = options.restart().mode() != Mode.NEVER;
        attempt(
                "kill one, with a pid from the list, and see what was noticed"
                        + (comesBack ? ", and it come back" : ""),
                "kill -9 PID; sleep 3; curl " + url + "/v1/exits; curl " + url + "/v1/workers/list");
        lines.add("Ctrl-C ends the hive and all its workers.");
        return String.join(System.lineSeparator(), lines);
    }

    private static String chat(String model) {
        return "'{\"model\": \"" + model + "\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'";
    }

    private String post(String path, String body) {
        return "curl " + url + path + " -H 'Content-Type: application/json' -d " + body;
    }

    private void attempt(String what, String command) {
        lines.add("  # " + what);
        lines.add("  " + command);
        lines.add("");
    }
}
