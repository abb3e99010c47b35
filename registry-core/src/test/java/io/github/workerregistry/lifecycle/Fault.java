package io.github.workerregistry.lifecycle;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.WorkerProcess;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A fault of foreign code: what a method of an SPI does instead of its contract.
 *
 * @param description for the test's name
 * @param instead replaces the method; may throw
 * @param warnings parts of the messages that the library logs at WARN
 */
record Fault(String description, Supplier<?> instead, List<String> warnings) {

    Fault(String description, Supplier<?> instead, String... warnings) {
        this(description, instead, List.of(warnings));
    }

    /** A method that throws. */
    static Fault throwing(String description, Supplier<Throwable> failure, String... warnings) {
        return new Fault(
                description,
                () -> {
                    throw Fault.<RuntimeException>sneaky(failure.get());
                },
                warnings);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    static <T extends Throwable> T sneaky(Throwable failure) throws T {
        throw (T) failure;
    }

    /** An exception whose own methods fail. */
    static final class Unreadable extends RuntimeException {
        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }

    /** A stage that completes with a first value, which is then replaced. */
    static <T> CompletableFuture<T> twice(T first, T second) {
        CompletableFuture<T> stage = new CompletableFuture<>();
        stage.complete(first);
        stage.obtrudeValue(second);
        return stage;
    }

    /** A stage of which every method throws. */
    static CompletionStage<?> brokenStage() {
        return (CompletionStage<?>) Proxy.newProxyInstance(
                CompletionStage.class.getClassLoader(),
                new Class<?>[] {CompletionStage.class},
                (proxy, called, args) -> {
                    throw new UnsupportedOperationException(called.getName());
                });
    }

    /** A process of which one method is replaced. */
    static WorkerProcess inject(WorkerProcess process, String method, Supplier<?> instead) {
        return (WorkerProcess) Proxy.newProxyInstance(
                WorkerProcess.class.getClassLoader(),
                new Class<?>[] {WorkerProcess.class},
                (proxy, called, args) ->
                        called.getName().equals(method) ? instead.get() : called.invoke(process, args));
    }

    void expectWarnings() {
        UnexpectedWarnings.expect(warnings.toArray(String[]::new));
    }

    @Override
    public String toString() {
        return description;
    }
}
