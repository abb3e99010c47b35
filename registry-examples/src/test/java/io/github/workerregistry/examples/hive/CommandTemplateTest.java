package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTemplateTest {

    /** Regression: a model_ref of $(id) ran a program. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "bash -c 'exec server --port {port} {model_ref}'",
                "/bin/sh -ec 'server {model_path}'",
                "env A=b sh -c 'server {backend}'"
            })
    void templateInWhichAShellWouldRunAValueOfARequestIsRefused(String template) {
        assertThatThrownBy(() -> CommandTemplate.parse(template))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a shell would run")
                .hasMessageContaining("$WORKER_");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bash -c 'exec server --port {port} \"$WORKER_MODEL_REF\"'",
                "sh -c 'exec server \"$1\"' server {model_ref}",
                "server -c {model_path}"
            })
    void otherTemplatesAreAccepted(String template) {
        assertThat(CommandTemplate.parse(template).arguments()).isNotEmpty();
    }
}
