package io.github.workerregistry.process;

import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;

/** Output that is discarded or inherited from this JVM. */
record UnrecordedOutput(Redirect target) implements ProcessOutput {

    @Override
    public void connect(ProcessBuilder builder) {
        builder.redirectOutput(target).redirectError(target);
    }

    @Override
    public long bytes() {
        return 0;
    }

    @Override
    public boolean isRecorded() {
        return false;
    }

    @Override
    public List<String> tail(int maxLines) {
        return List.of();
    }

    @Override
    public OptionalLong read(long offset, ByteBuffer into) {
        return OptionalLong.empty();
    }

    @Override
    public void release() {}

    @Override
    public void abandon() {}
}
