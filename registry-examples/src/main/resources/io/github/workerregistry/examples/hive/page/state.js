const MOST_EXITS = 20;
const LOADS = { load_started: 'loading', loaded: 'ready', load_failed: 'failed' };

/** What the hive has, kept up to date by its events. */
export class State {
  workers = new Map();
  models = new Map();
  exits = [];
  usage = { slots_total: 0, slots_in_use: 0, waiting: 0 };

  apply(event) {
    if (event.type === 'snapshot') {
      this.workers = new Map(event.workers.map(worker => [worker.id, received(worker)]));
      this.exits = event.exits;
      this.#use(event.usage);
    } else if (event.type === 'usage') {
      this.#use(event);
    } else {
      this.#happened(event);
    }
  }

  #use(usage) {
    this.usage = usage;
    this.models = new Map(usage.models.map(model => [model.id, model]));
    for (const { id, ...use } of usage.workers) {
      const worker = this.workers.get(id);
      if (worker) {
        Object.assign(worker, use);
      }
    }
  }

  #happened(event) {
    if (event.type === 'removed') {
      this.workers.delete(event.worker.id);
    } else if (event.worker) {
      const before = this.workers.get(event.worker.id);
      this.workers.set(event.worker.id, { resident_bytes: before?.resident_bytes, ...received(event.worker) });
    }
    if (event.exit && !this.exits.some(exit => same(exit, event.exit))) {
      this.exits = [...this.exits, event.exit].slice(-MOST_EXITS);
    }
    const model = this.models.get(event.model_ref);
    if (model && LOADS[event.type]) {
      model.state = LOADS[event.type];
    }
  }

  lastExit(workerId) {
    const exit = this.exits.findLast(one => one.worker_id === workerId);
    return exit ? describe(exit) : '';
  }
}

export function describe(exit) {
  const how = exit.signal != null ? `signal ${exit.signal}` : exit.exit_code != null ? `code ${exit.exit_code}` : '';
  return [exit.cause, how, exit.output.at(-1)].filter(Boolean).join(', ');
}

function received(worker) {
  return { ...worker, started: Date.now() - worker.uptime_s * 1000 };
}

function same(one, other) {
  return one.worker_id === other.worker_id && one.generation === other.generation && one.at === other.at;
}
