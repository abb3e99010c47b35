package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.demo.DemoWorker;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page: what the hive sends, and what a browser does with it. */
@ExpectWarnings("has ended: CRASHED")
class PageIT {

    private static final int TAB = 9;
    private static final int ENTER = 13;

    @TempDir
    private Path directory;

    private RunningHive running;
    private HiveClient hive;

    @BeforeEach
    void start() throws IOException {
        Path config = directory.resolve("hive.yaml");
        Files.writeString(config, """
                devices: {cpu: {0: 10}}
                models:
                  one: {command: %1$s, units: 10, slots: 2}
                  two: {command: %1$s, units: 10}
                """.formatted(HiveClient.JSON.writeValueAsString(DemoWorker.command())));
        running = new RunningHive(
                Options.parse("--port=0", "--config=" + config, "--ports=" + FreePorts.range(20), "--stop-grace=5s"));
        running.start();
        hive = new HiveClient(running.baseUrl());
    }

    @AfterEach
    void stop() {
        running.close();
    }

    @Test
    void pageAndAllThatItNamesAreSentWithoutInlineScripts() throws Exception {
        HttpResponse<String> page = hive.send("GET", "/", null);

        assertThat(page.headers().firstValue("Content-Type")).hasValue("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("Content-Security-Policy"))
                .get()
                .asString()
                .startsWith("default-src 'self'");
        assertThat(page.body()).doesNotContainPattern("<script(?![^>]* src=)|<style|\\s(on\\w+|style)=");
        assertThat(Pattern.compile("(?:src|href)=\"([^\"]+)\"")
                        .matcher(page.body())
                        .results())
                .hasSize(3)
                .allSatisfy(
                        file -> assertThat(hive.send("GET", file.group(1), null).statusCode())
                                .as(file.group(1))
                                .isEqualTo(200));
        assertThat(Pattern.compile("from '\\./([^']+)'")
                        .matcher(hive.send("GET", "/page/hive.js", null).body())
                        .results())
                .hasSize(4)
                .allSatisfy(file -> {
                    HttpResponse<String> module = hive.send("GET", "/page/" + file.group(1), null);
                    assertThat(module.headers().firstValue("Content-Type")).hasValue("text/javascript; charset=utf-8");
                });
        assertThat(hive.send("GET", "/page/nothing.js", null).statusCode()).isEqualTo(404);
        assertThat(hive.send("GET", "/page/..%2fPage.class", null).statusCode()).isEqualTo(404);
    }

    @Test
    void operatorLoadsFollowsAndUnloadsAModelWithTheKeyboard() throws Exception {
        assumeTrue(Browser.program().isPresent(), "there is no Chromium");
        try (Browser browser =
                new Browser(Browser.program().orElseThrow(), Files.createDirectory(directory.resolve("profile")))) {
            browser.open(running.baseUrl());
            browser.await("document.querySelectorAll('#models tr').length === 2");
            browser.await("document.getElementById('connection').textContent === 'connected'");

            browser.press("Tab", TAB);
            assertThat(browser.evaluate("document.activeElement.ariaLabel").textValue())
                    .isEqualTo("Load one");
            browser.press("Enter", ENTER);
            browser.await("document.querySelector('#models tr').cells[1].textContent === 'ready'");
            browser.await("document.querySelectorAll('#workers tr').length === 1");
            browser.await("document.querySelector('#workers tr').cells[4].textContent.endsWith(' MiB')");

            browser.evaluate("document.querySelector('[aria-label^=Log]').focus()");
            browser.press("Enter", ENTER);
            browser.await("document.getElementById('log').textContent.includes('demo worker: ')");
            browser.screenshot(Path.of("target", "page", "wide.png"));

            String worker = browser.evaluate("document.querySelector('#workers tr').dataset.key")
                    .textValue();
            JsonNode json = hive.worker(worker);
            ProcessHandle.of(json.get("pid").longValue()).orElseThrow().destroyForcibly();
            browser.await("document.getElementById('exits').textContent.includes('" + worker + ": crashed, signal 9')");

            hive.send("POST", "/v1/models/two/load", null);
            browser.await("document.querySelectorAll('#models tr')[1].cells[1].textContent === 'ready'");
            browser.evaluate("document.querySelector('[aria-label=\"Unload two\"]').click()");
            browser.await("document.querySelectorAll('#models tr')[1].cells[1].textContent === 'unloaded'");

            browser.width(400);
            browser.await("document.documentElement.scrollWidth <= 400");
            browser.screenshot(Path.of("target", "page", "narrow.png"));
            assertThat(browser.evaluate("document.querySelectorAll('#chart polyline')[0].getAttribute('points')")
                            .textValue())
                    .isNotEmpty();
            assertThat(browser.errors()).isEmpty();
        }
    }
}
