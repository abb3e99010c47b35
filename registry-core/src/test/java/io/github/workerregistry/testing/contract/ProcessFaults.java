package io.github.workerregistry.testing.contract;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import io.github.workerregistry.testing.contract.Faults.Fault;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Faulty controllers and processes: each violates a part of the contract. */
final class ProcessFaults {

    private ProcessFaults() {}

    static Stream<Fault> all() {
        return Stream.of(starts(), specs(), notices(), statuses(), signals(), trees(), outputs())
                .flatMap(List::stream);
    }

    private static List<Fault> starts() {
        return List.of(
                broken("an identity that changes", intact -> new ForwardingProcess(intact) {
                    @Override
                    public ProcessIdentity identity() {
                        return new ProcessIdentity(
                                super.identity().pid(), exitStatus().isPresent() ? 0 : 1, "boot");
                    }
                }),
                broken("the same identity for all processes", intact -> new ForwardingProcess(intact) {
                    @Override
                    public ProcessIdentity identity() {
                        return new ProcessIdentity(1, 1, "boot");
                    }
                }),
                broken("a failed start with the wrong exception", new FakeMachineContract() {
                    @Override
                    WorkerProcess start(ProcessSpec spec) {
                        try {
                            return super.start(spec);
                        } catch (SpawnException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                }),
                broken("a failed start that makes the next one fail", new FakeMachineContract() {
                    @Override
                    WorkerProcess start(ProcessSpec spec) {
                        try {
                            return super.start(spec);
                        } catch (SpawnException e) {
                            if (!e.getMessage().endsWith("again")) {
                                fake().failNextStart("again");
                            }
                            throw e;
                        }
                    }
                }),
                broken("a failed start that leaves a running process", new FakeMachineContract() {
                    @Override
                    WorkerProcess start(ProcessSpec spec) {
                        try {
                            return super.start(spec);
                        } catch (RuntimeException e) {
                            super.start(spec);
                            throw e;
                        }
                    }
                }),
                broken("a controller that reaps its own processes", new Remembering() {
                    @Override
                    public OrphanReport reapOrphans() {
                        killAll();
                        return OrphanReport.unsupported();
                    }
                }));
    }

    private static List<Fault> specs() {
        return List.of(
                broken("environment variables of the spec are dropped", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return System.getenv();
                    }
                }),
                broken("inherited environment variables override those of the spec", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        Map<String, String> environment = new HashMap<>(spec.environment());
                        environment.putAll(System.getenv());
                        return environment;
                    }
                }),
                broken("no environment variable is inherited", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return spec.environment();
                    }
                }),
                broken("excluded environment variables are inherited", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return super.environmentOf(inheriting(
                                spec, new InheritedEnvironment(spec.inherited().only(), Set.of())));
                    }
                }),
                broken("environment variables that are not listed are inherited", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return super.environmentOf(inheriting(
                                spec,
                                new InheritedEnvironment(
                                        Optional.empty(), spec.inherited().except())));
                    }
                }),
                broken("listed environment variables are not inherited", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return spec.inherited().only().isPresent() ? spec.environment() : super.environmentOf(spec);
                    }
                }),
                broken("the same working directory for all processes", new FakeMachineContract() {
                    @Override
                    String directoryOf(ProcessSpec spec) {
                        return "/";
                    }
                }),
                broken("arguments are passed through a shell", new FakeMachineContract() {
                    @Override
                    List<String> argumentsOf(List<String> arguments) {
                        return arguments.stream()
                                .map(argument -> argument.replaceAll(" +", " "))
                                .toList();
                    }
                }));
    }

    private static ProcessSpec inheriting(ProcessSpec spec, InheritedEnvironment inherited) {
        return new ProcessSpec(spec.workerId(), spec.command(), spec.environment(), spec.directory(), inherited);
    }

    private static List<Fault> notices() {
        return List.of(
                broken(
                        "onExit completes before the exit",
                        intact -> withNotice(
                                intact, notice -> CompletableFuture.completedFuture(ExitStatus.unrequested(0)))),
                broken("onExit never completes", intact -> withNotice(intact, notice -> new CompletableFuture<>())),
                broken("onExit runs each callback twice", intact -> withNotice(intact, Twice::new)),
                broken(
                        "onExit completes exceptionally",
                        intact -> withNotice(
                                intact,
                                notice -> notice.thenApply(status -> {
                                    throw new IllegalStateException("broken");
                                }))),
                broken("one future of onExit for all callers", intact -> {
                    CompletionStage<ExitStatus> shared = intact.onExit();
                    return withNotice(intact, notice -> shared);
                }),
                broken("no exit status during the callbacks of onExit", NoStatusDuringCallbacks::new));
    }

    private static List<Fault> statuses() {
        return List.of(
                broken(
                        "exit codes are lost",
                        intact -> withStatus(
                                intact,
                                status -> status.requested()
                                        ? status
                                        : ExitStatus.unrequested(status.isSuccess() ? 1 : 0))),
                broken("crashes are reported as requested", intact -> withStatus(intact, ExitStatus::asRequested)),
                broken(
                        "requested exits are reported as unrequested",
                        intact ->
                                withStatus(intact, status -> status.isSuccess() ? ExitStatus.unrequested(0) : status)),
                broken("the first exit status differs from later ones", intact -> {
                    AtomicBoolean first = new AtomicBoolean(true);
                    return withStatus(intact, status -> first.getAndSet(false) ? ExitStatus.requested(99) : status);
                }));
    }

    private static List<Fault> signals() {
        return List.of(
                broken("a signal after the exit changes the exit status", intact -> new ForwardingProcess(intact) {
                    private volatile boolean killed;

                    @Override
                    public void kill() {
                        killed = true;
                        super.kill();
                    }

                    @Override
                    public Optional<ExitStatus> exitStatus() {
                        return super.exitStatus().map(status -> killed ? status.asRequested() : status);
                    }
                }),
                broken("kill that only terminates", intact -> new ForwardingProcess(intact) {
                    @Override
                    public void kill() {
                        super.terminate();
                    }
                }),
                broken("terminate that kills", intact -> new ForwardingProcess(intact) {
                    @Override
                    public void terminate() {
                        super.kill();
                    }
                }),
                broken("terminate that does nothing", intact -> new ForwardingProcess(intact) {
                    @Override
                    public void terminate() {}
                }),
                broken("kill that works only for the process started last", new Remembering() {
                    @Override
                    public synchronized WorkerProcess start(ProcessSpec spec) {
                        WorkerProcess intact = super.start(spec);
                        return new ForwardingProcess(intact) {
                            @Override
                            public void kill() {
                                if (isLast(intact)) {
                                    super.kill();
                                }
                            }
                        };
                    }
                }),
                broken("kill that kills all processes", new Remembering() {
                    @Override
                    public synchronized WorkerProcess start(ProcessSpec spec) {
                        return new ForwardingProcess(super.start(spec)) {
                            @Override
                            public void kill() {
                                killAll();
                            }
                        };
                    }
                }));
    }

    private static List<Fault> trees() {
        return List.of(
                orphaned("kill without the child", (parent, child) -> new FakeMachineContract.Parent(parent, child) {
                    @Override
                    public void kill() {
                        parent.kill();
                    }

                    @Override
                    public Optional<ExitStatus> exitStatus() {
                        return parent.exitStatus();
                    }
                }),
                orphaned(
                        "terminate without the child",
                        (parent, child) -> new FakeMachineContract.Parent(parent, child) {
                            @Override
                            public void terminate() {
                                parent.terminate();
                            }

                            @Override
                            public Optional<ExitStatus> exitStatus() {
                                return parent.exitStatus();
                            }
                        }),
                broken("kill without children started after terminate", new FakeMachineContract() {
                    @Override
                    void killChildren(List<WorkerProcess> children) {}
                }),
                orphaned("an exit that is reported before that of the child", (parent, child) -> parent),
                orphaned("usage without the child", (parent, child) -> new FakeMachineContract.Parent(parent, child) {
                    @Override
                    public Optional<ProcessUsage> usage() {
                        return parent.usage();
                    }
                }),
                broken("usage that is kept after the exit", intact -> {
                    Optional<ProcessUsage> usage = intact.usage();
                    return new ForwardingProcess(intact) {
                        @Override
                        public Optional<ProcessUsage> usage() {
                            return usage;
                        }
                    };
                }));
    }

    private static List<Fault> outputs() {
        return List.of(
                broken("output is not counted", intact -> new ForwardingProcess(intact) {
                    @Override
                    public long outputBytes() {
                        return 0;
                    }
                }),
                broken("recordsOutput is false although output is recorded", intact -> new ForwardingProcess(intact) {
                    @Override
                    public boolean recordsOutput() {
                        return false;
                    }
                }),
                broken("recordsOutput is true although output is not recorded", new FakeMachineContract() {
                    @Override
                    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
                        return Optional.empty();
                    }
                }),
                broken("a count that is reset at the exit", intact -> new ForwardingProcess(intact) {
                    @Override
                    public long outputBytes() {
                        return exitStatus().isPresent() ? 0 : super.outputBytes();
                    }
                }),
                broken(
                        "lines in the wrong order",
                        intact -> withOutput(intact, lines -> {
                            List<String> reversed = new ArrayList<>(lines);
                            Collections.reverse(reversed);
                            return reversed;
                        })),
                broken(
                        "long lines that are dropped",
                        intact -> withOutput(
                                intact,
                                lines -> lines.stream()
                                        .filter(line -> line.length() < 1_000)
                                        .toList())),
                broken(
                        "a line where there is none",
                        intact -> withOutput(intact, lines -> lines.isEmpty() ? List.of("") : lines)),
                broken(
                        "output that is lost at the exit",
                        intact ->
                                withOutput(intact, lines -> intact.exitStatus().isPresent() ? List.of() : lines)),
                broken("outputTail accepts 0 lines", intact -> new ForwardingProcess(intact) {
                    @Override
                    public List<String> outputTail(int maxLines) {
                        return maxLines < 1 ? List.of() : super.outputTail(maxLines);
                    }
                }),
                broken("readOutput ignores the offset", intact -> new ForwardingProcess(intact) {
                    @Override
                    public OptionalLong readOutput(long offset, ByteBuffer into) {
                        super.readOutput(0, into);
                        return OptionalLong.of(offset);
                    }
                }),
                broken("readOutput reads nothing after the exit", intact -> new ForwardingProcess(intact) {
                    @Override
                    public OptionalLong readOutput(long offset, ByteBuffer into) {
                        return exitStatus().isPresent() ? OptionalLong.of(offset) : super.readOutput(offset, into);
                    }
                }),
                broken("readOutput accepts a negative offset", intact -> new ForwardingProcess(intact) {
                    @Override
                    public OptionalLong readOutput(long offset, ByteBuffer into) {
                        return super.readOutput(Math.max(0, offset), into);
                    }
                }),
                broken("output that is also added to that of other processes", new FakeMachineContract() {
                    @Override
                    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
                        Optional<WorkerProcess> process = super.printing(workerId, lines);
                        for (String other : fake().running()) {
                            if (!other.equals(workerId)) {
                                fake().print(other, lines[0]);
                            }
                        }
                        return process;
                    }
                }),
                broken("output that starts with that of the previous process", new FakeMachineContract() {
                    private String previous = "";

                    @Override
                    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
                        boolean again = previous.equals("of the previous process");
                        previous = lines[0];
                        return again
                                ? super.printing(workerId, "of the previous process", lines[0])
                                : super.printing(workerId, lines);
                    }
                }),
                broken("exitStatus throws after the release", intact -> new ForwardingProcess(intact) {
                    private volatile boolean released;

                    @Override
                    public void release() {
                        released = true;
                    }

                    @Override
                    public Optional<ExitStatus> exitStatus() {
                        if (released) {
                            throw new IllegalStateException("released");
                        }
                        return super.exitStatus();
                    }
                }),
                broken("a release that frees nothing", new FakeMachineContract() {
                    @Override
                    protected Optional<Set<String>> leftovers() {
                        return Optional.of(Set.of("file " + fake().starts()));
                    }
                }));
    }

    private static WorkerProcess withOutput(WorkerProcess intact, UnaryOperator<List<String>> lines) {
        return new ForwardingProcess(intact) {
            @Override
            public List<String> outputTail(int maxLines) {
                return lines.apply(super.outputTail(maxLines));
            }
        };
    }

    private static WorkerProcess withNotice(WorkerProcess intact, UnaryOperator<CompletionStage<ExitStatus>> notice) {
        return new ForwardingProcess(intact) {
            @Override
            public CompletionStage<ExitStatus> onExit() {
                return notice.apply(super.onExit());
            }
        };
    }

    private static WorkerProcess withStatus(WorkerProcess intact, UnaryOperator<ExitStatus> status) {
        return new ForwardingProcess(intact) {
            @Override
            public Optional<ExitStatus> exitStatus() {
                return super.exitStatus().map(status);
            }
        };
    }

    private static Fault broken(String what, UnaryOperator<WorkerProcess> fault) {
        return broken(what, new FakeMachineContract(fault));
    }

    private static Fault broken(String what, ProcessControllerContract contract) {
        return new Fault(what, contract);
    }

    private static Fault orphaned(String what, BiFunction<WorkerProcess, WorkerProcess, WorkerProcess> parentOf) {
        return broken(what, new FakeMachineContract() {
            @Override
            WorkerProcess parentOf(WorkerProcess parent, WorkerProcess child) {
                return parentOf.apply(parent, child);
            }
        });
    }

    /** A controller that keeps a list of the processes that it started. */
    private static class Remembering extends FakeMachineContract implements ProcessController {
        private final List<WorkerProcess> started = new ArrayList<>();

        @Override
        protected ProcessController controller() {
            return this;
        }

        @Override
        public synchronized WorkerProcess start(ProcessSpec spec) {
            WorkerProcess process = super.start(spec);
            started.add(process);
            return process;
        }

        @SuppressWarnings("ReferenceEquality") // identity is meant
        synchronized boolean isLast(WorkerProcess process) {
            return started.get(started.size() - 1) == process;
        }

        synchronized void killAll() {
            started.forEach(WorkerProcess::kill);
        }
    }

    /** Runs each callback twice. */
    private static final class Twice extends CompletableFuture<ExitStatus> {
        Twice(CompletionStage<ExitStatus> once) {
            once.thenAccept(this::complete);
        }

        @Override
        public CompletableFuture<Void> thenAccept(Consumer<? super ExitStatus> action) {
            super.thenAccept(action);
            return super.thenAccept(action);
        }
    }

    private static final class NoStatusDuringCallbacks extends ForwardingProcess {
        private final CompletableFuture<ExitStatus> notice = new CompletableFuture<>();
        private volatile boolean notifying;

        NoStatusDuringCallbacks(WorkerProcess intact) {
            super(intact);
            intact.onExit().thenAccept(status -> {
                notifying = true;
                notice.complete(status);
                notifying = false;
            });
        }

        @Override
        public CompletionStage<ExitStatus> onExit() {
            return notice.minimalCompletionStage();
        }

        @Override
        public Optional<ExitStatus> exitStatus() {
            return notifying ? Optional.empty() : super.exitStatus();
        }
    }
}
