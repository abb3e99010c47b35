package io.github.workerregistry.lifecycle;

import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.util.List;
import java.util.function.Supplier;

/** A controller of processes whose output a test supplies. */
final class BrokenOutput implements ProcessController {

    private final ProcessController processes;
    private final Supplier<List<String>> output;

    BrokenOutput(ProcessController processes, Supplier<List<String>> output) {
        this.processes = processes;
        this.output = output;
    }

    @Override
    public WorkerProcess start(ProcessSpec spec) {
        return new ForwardingProcess(processes.start(spec)) {
            @Override
            public List<String> outputTail(int maxLines) {
                return output.get();
            }
        };
    }
}
