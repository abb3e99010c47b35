package io.github.workerregistry.testing;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.Faults.Fault;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Ways in which controllers and processes break their promises, for the checks to see. */
final class ProcessFaults {

    private ProcessFaults() {}

    static Stream<Fault> all() {
        return Stream.of(starts(), specs(), notices(), statuses(), signals(), trees(), outputs())
                .flatMap(List::stream);
    }

    private static List<Fault> starts() {
        return List.of(
                broken("identities that change", whole -> new ForwardingProcess(whole) {
                    @Override
                    public ProcessIdentity identity() {
                        return new ProcessIdentity(
                                super.identity().pid(), exitStatus().isPresent() ? 0 : 1, "boot");
                    }
                }),
                broken("identities that are all the same", whole -> new ForwardingProcess(whole) {
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
                            if (!e.getMessage().endsWith("once more")) {
                                fake().failNextStart("once more");
                            }
                            throw e;
                        }
                    }
                }),
                broken("a failed start that leaves a process behind", new FakeMachineContract() {
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
                broken("variables that are dropped", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return System.getenv();
                    }
                }),
                broken("variables that replace nothing", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        Map<String, String> environment = new HashMap<>(spec.environment());
                        environment.putAll(System.getenv());
                        return environment;
                    }
                }),
                broken("variables that are not inherited", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return spec.environment();
                    }
                }),
                broken("variables that are inherited though they are excepted", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return super.environmentOf(inheriting(
                                spec, new InheritedEnvironment(spec.inherited().only(), Set.of())));
                    }
                }),
                broken("variables that are inherited though others are the only ones", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return super.environmentOf(inheriting(
                                spec,
                                new InheritedEnvironment(
                                        Optional.empty(), spec.inherited().except())));
                    }
                }),
                broken("variables of which none is inherited if there are only ones", new FakeMachineContract() {
                    @Override
                    Map<String, String> environmentOf(ProcessSpec spec) {
                        return spec.inherited().only().isPresent() ? spec.environment() : super.environmentOf(spec);
                    }
                }),
                broken("a directory that is always the same", new FakeMachineContract() {
                    @Override
                    String directoryOf(ProcessSpec spec) {
                        return "/";
                    }
                }),
                broken("arguments that pass through a shell", new FakeMachineContract() {
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
                        "notices that come too early",
                        whole -> withNotice(
                                whole, notice -> CompletableFuture.completedFuture(ExitStatus.unrequested(0)))),
                broken("notices that never come", whole -> withNotice(whole, notice -> new CompletableFuture<>())),
                broken("notices that come twice", whole -> withNotice(whole, Twice::new)),
                broken(
                        "notices that fail",
                        whole -> withNotice(
                                whole,
                                notice -> notice.thenApply(status -> {
                                    throw new IllegalStateException("broken");
                                }))),
                broken("notices that everybody shares", whole -> {
                    CompletionStage<ExitStatus> shared = whole.onExit();
                    return withNotice(whole, notice -> shared);
                }),
                broken("processes that do not answer while they give notice", MuteWhileEnding::new));
    }

    private static List<Fault> statuses() {
        return List.of(
                broken(
                        "exit codes that are lost",
                        whole -> withStatus(
                                whole,
                                status -> status.requested()
                                        ? status
                                        : ExitStatus.unrequested(status.code() == 0 ? 1 : 0))),
                broken("crashes that look like requests", whole -> withStatus(whole, ExitStatus::asRequested)),
                broken(
                        "requests that look like ends by themselves",
                        whole -> withStatus(whole, status -> status.code() == 0 ? ExitStatus.unrequested(0) : status)),
                broken("a first answer that is another one than the next", whole -> {
                    AtomicBoolean first = new AtomicBoolean(true);
                    return withStatus(whole, status -> first.getAndSet(false) ? ExitStatus.requested(99) : status);
                }));
    }

    private static List<Fault> signals() {
        return List.of(
                broken("signals that come late and count", whole -> new ForwardingProcess(whole) {
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
                broken("a kill that only asks", whole -> new ForwardingProcess(whole) {
                    @Override
                    public void kill() {
                        super.terminate();
                    }
                }),
                broken("a terminate that kills", whole -> new ForwardingProcess(whole) {
                    @Override
                    public void terminate() {
                        super.kill();
                    }
                }),
                broken("a terminate that does nothing", whole -> new ForwardingProcess(whole) {
                    @Override
                    public void terminate() {}
                }),
                broken("a kill that reaches only whoever was started last", new Remembering() {
                    @Override
                    public synchronized WorkerProcess start(ProcessSpec spec) {
                        WorkerProcess whole = super.start(spec);
                        return new ForwardingProcess(whole) {
                            @Override
                            public void kill() {
                                if (isLast(whole)) {
                                    super.kill();
                                }
                            }
                        };
                    }
                }),
                broken("signals that hit everybody", new Remembering() {
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
                orphaned("a kill of the root alone", (parent, child) -> new FakeMachineContract.Parent(parent, child) {
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
                        "a terminate of the root alone",
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
                broken("a kill that forgets whoever came late", new FakeMachineContract() {
                    @Override
                    void killChildren(List<WorkerProcess> children) {}
                }),
                orphaned("exits that do not wait for the child", (parent, child) -> parent));
    }

    private static List<Fault> outputs() {
        return List.of(
                broken("output that nobody counts", whole -> new ForwardingProcess(whole) {
                    @Override
                    public long outputBytes() {
                        return 0;
                    }
                }),
                broken("output that is counted and said not to be", whole -> new ForwardingProcess(whole) {
                    @Override
                    public boolean recordsOutput() {
                        return false;
                    }
                }),
                broken("output that is said to be counted where there is none", new FakeMachineContract() {
                    @Override
                    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
                        return Optional.empty();
                    }
                }),
                broken("a count that begins anew after the end", whole -> new ForwardingProcess(whole) {
                    @Override
                    public long outputBytes() {
                        return exitStatus().isPresent() ? 0 : super.outputBytes();
                    }
                }),
                broken(
                        "lines in the wrong order",
                        whole -> withOutput(whole, lines -> {
                            List<String> reversed = new ArrayList<>(lines);
                            Collections.reverse(reversed);
                            return reversed;
                        })),
                broken(
                        "long lines that are dropped",
                        whole -> withOutput(
                                whole,
                                lines -> lines.stream()
                                        .filter(line -> line.length() < 1_000)
                                        .toList())),
                broken(
                        "a line where there is none",
                        whole -> withOutput(whole, lines -> lines.isEmpty() ? List.of("") : lines)),
                broken(
                        "output that goes with the process",
                        whole -> withOutput(whole, lines -> whole.exitStatus().isPresent() ? List.of() : lines)),
                broken("a tail of no lines", whole -> new ForwardingProcess(whole) {
                    @Override
                    public List<String> outputTail(int maxLines) {
                        return maxLines < 1 ? List.of() : super.outputTail(maxLines);
                    }
                }),
                broken("output of all in one", new FakeMachineContract() {
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
                broken("output of the last process of a worker", new FakeMachineContract() {
                    private String last = "";

                    @Override
                    protected Optional<WorkerProcess> printing(String workerId, String... lines) {
                        boolean again = last.equals("of the last one");
                        last = lines[0];
                        return again
                                ? super.printing(workerId, "of the last one", lines[0])
                                : super.printing(workerId, lines);
                    }
                }),
                broken("processes that are mute once they are released", whole -> new ForwardingProcess(whole) {
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
                broken("a release that releases nothing", new FakeMachineContract() {
                    @Override
                    protected Optional<Set<String>> leftovers() {
                        return Optional.of(Set.of("file " + fake().starts()));
                    }
                }));
    }

    private static WorkerProcess withOutput(WorkerProcess whole, UnaryOperator<List<String>> lines) {
        return new ForwardingProcess(whole) {
            @Override
            public List<String> outputTail(int maxLines) {
                return lines.apply(super.outputTail(maxLines));
            }
        };
    }

    private static WorkerProcess withNotice(WorkerProcess whole, UnaryOperator<CompletionStage<ExitStatus>> notice) {
        return new ForwardingProcess(whole) {
            @Override
            public CompletionStage<ExitStatus> onExit() {
                return notice.apply(super.onExit());
            }
        };
    }

    private static WorkerProcess withStatus(WorkerProcess whole, UnaryOperator<ExitStatus> status) {
        return new ForwardingProcess(whole) {
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

    /** A controller that knows all that it started. */
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

        @SuppressWarnings("ReferenceEquality") // that very process
        synchronized boolean isLast(WorkerProcess process) {
            return started.get(started.size() - 1) == process;
        }

        synchronized void killAll() {
            started.forEach(WorkerProcess::kill);
        }
    }

    /** Tells each receiver twice. */
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

    private static final class MuteWhileEnding extends ForwardingProcess {
        private final CompletableFuture<ExitStatus> notice = new CompletableFuture<>();
        private volatile boolean ending;

        MuteWhileEnding(WorkerProcess whole) {
            super(whole);
            whole.onExit().thenAccept(status -> {
                ending = true;
                notice.complete(status);
                ending = false;
            });
        }

        @Override
        public CompletionStage<ExitStatus> onExit() {
            return notice.minimalCompletionStage();
        }

        @Override
        public Optional<ExitStatus> exitStatus() {
            return ending ? Optional.empty() : super.exitStatus();
        }
    }
}
