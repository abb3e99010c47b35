package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A controller whose processes give what a test says in place of their output. */
final class BrokenOutput implements ProcessController {

    private final ProcessController processes;
    private final Supplier<List<String>> output;

    BrokenOutput(ProcessController processes, Supplier<List<String>> output) {
        this.processes = processes;
        this.output = output;
    }

    @Override
    public WorkerProcess start(ProcessSpec spec) {
        WorkerProcess process = processes.start(spec);
        return new WorkerProcess() {
            @Override
            public ProcessIdentity identity() {
                return process.identity();
            }

            @Override
            public Optional<ExitStatus> exitStatus() {
                return process.exitStatus();
            }

            @Override
            public CompletionStage<ExitStatus> onExit() {
                return process.onExit();
            }

            @Override
            public void terminate() {
                process.terminate();
            }

            @Override
            public void kill() {
                process.kill();
            }

            @Override
            public long outputBytes() {
                return process.outputBytes();
            }

            @Override
            public List<String> outputTail(int maxLines) {
                return output.get();
            }

            @Override
            public void release() {
                process.release();
            }
        };
    }
}
