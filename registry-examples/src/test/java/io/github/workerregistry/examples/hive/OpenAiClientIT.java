package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.models.Model;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenAI's Java client against a hive with demo models. */
class OpenAiClientIT {

    private static RunningHive running;
    private static HiveClient hive;
    private static OpenAIClient client;

    @BeforeAll
    static void start() throws IOException {
        running = new RunningHive(
                Options.parse("--port=0", "--workers=0", "--ports=" + FreePorts.range(10), "--stop-grace=5s"));
        running.start();
        hive = new HiveClient(running.baseUrl());
        client = OpenAIOkHttpClient.builder()
                .baseUrl(running.baseUrl() + "/v1")
                .apiKey("of-the-client")
                .maxRetries(0)
                .build();
    }

    @AfterAll
    static void stop() {
        client.close();
        running.close();
    }

    @Test
    void modelsAreListed() {
        assertThat(client.models().list().data()).extracting(Model::id).containsExactlyInAnyOrder("tiny", "small");
        assertThat(client.models().retrieve("tiny").validate().id()).isEqualTo("tiny");
    }

    @Test
    void chatIsAnswered() {
        ChatCompletion answer =
                client.chat().completions().create(chat("tiny").build()).validate();

        assertThat(answer.choices().get(0).message().content()).get().asString().startsWith("Hello you said");
        assertThat(answer.usage()).isPresent();
    }

    @Test
    void chatIsStreamed() {
        try (StreamResponse<ChatCompletionChunk> stream = client.chat()
                .completions()
                .createStreaming(chat("tiny").maxCompletionTokens(3L).build())) {
            List<ChatCompletionChunk> pieces = stream.stream().toList();

            assertThat(pieces.stream()
                            .map(ChatCompletionChunk::validate)
                            .map(piece ->
                                    piece.choices().get(0).delta().content().orElse(""))
                            .reduce("", String::concat))
                    .isEqualTo("Hello you said");
            assertThat(pieces.get(3).choices().get(0).finishReason())
                    .hasValue(ChatCompletionChunk.Choice.FinishReason.LENGTH);
        }
    }

    @Test
    void slotIsFreeWhenTheClientCancelsAStream() {
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(chat("tiny").build())) {
            Iterator<ChatCompletionChunk> pieces = stream.stream().iterator();
            pieces.next();
            assertThat(slotsInUse()).isEqualTo(1);
        }

        await().until(() -> slotsInUse() == 0);
    }

    @Test
    void textIsCompletedAndEmbedded() {
        assertThat(client.completions()
                        .create(CompletionCreateParams.builder()
                                .model("tiny")
                                .prompt("Once")
                                .maxTokens(2L)
                                .build())
                        .validate()
                        .choices()
                        .get(0)
                        .text())
                .isEqualTo("Once you");

        CreateEmbeddingResponse embedded = client.embeddings()
                .create(EmbeddingCreateParams.builder()
                        .model("tiny")
                        .inputOfArrayOfStrings(List.of("a", "b", "a"))
                        .build());
        assertThat(embedded.data()).hasSize(3);
        assertThat(embedded.data().get(0).embedding())
                .hasSize(8)
                .isEqualTo(embedded.data().get(2).embedding())
                .isNotEqualTo(embedded.data().get(1).embedding());
    }

    @Test
    void unknownModelIsNotFound() {
        ChatCompletionCreateParams params = chat("none").build();

        assertThatThrownBy(() -> client.chat().completions().create(params))
                .isInstanceOfSatisfying(
                        NotFoundException.class,
                        answer -> assertThat(answer.code()).hasValue("no_such_model"));
    }

    @Test
    void errorOfAWorkerIsReadByTheClient() {
        EmbeddingCreateParams params = EmbeddingCreateParams.builder()
                .model("tiny")
                .inputOfArrayOfStrings(List.of())
                .build();

        assertThatThrownBy(() -> client.embeddings().create(params))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        answer -> assertThat(answer.code()).hasValue("invalid_request"));
    }

    private static ChatCompletionCreateParams.Builder chat(String model) {
        return ChatCompletionCreateParams.builder().model(model).addUserMessage("Hello");
    }

    private static int slotsInUse() {
        return hive.get("/v1/stats").at("/slots/in_use").asInt(-1);
    }
}
