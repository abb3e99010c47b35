import { Chart } from './chart.js';
import { Log } from './log.js';
import { Rows, setText } from './rows.js';
import { State, describe } from './state.js';

const $ = id => document.getElementById(id);
const chart = new Chart($('chart'));
const log = new Log();
const models = new Rows($('models'));
const workers = new Rows($('workers'));
const state = new State();

function showModels() {
  models.show([...state.models.values()].map(model => ({
    key: model.id,
    cells: [model.id, model.failure ? `${model.state}; last load: ${model.failure}` : model.state, model.workers, model.waiting],
    buttons: [
      {
        text: 'Load',
        action: () => post(model.id, 'load'),
        disabled: !model.configured || ['ready', 'loading'].includes(model.state),
      },
      { text: 'Unload', action: () => post(model.id, 'unload'), disabled: !model.configured || model.workers === 0 },
    ],
  })));
}

function showWorkers() {
  workers.show([...state.workers.values()].map(worker => ({
    key: worker.id,
    cells: [worker.id, worker.model_ref, worker.state,
      `${worker.slots_total - worker.slots_available} of ${worker.slots_total}`, memory(worker.resident_bytes),
      duration((Date.now() - worker.started) / 1000), state.lastExit(worker.id)],
    buttons: [{ text: 'Log', action: () => log.show(worker.id) }],
  })));
}

function showExits() {
  $('exits').replaceChildren(...state.exits.toReversed().map(exit => {
    const item = document.createElement('li');
    item.textContent = `${exit.at.slice(11, 19)} ${exit.worker_id}: ${describe(exit)}`;
    return item;
  }));
}

function showUsage() {
  setText($('in-use'), state.usage.slots_in_use);
  setText($('slots'), state.usage.slots_total);
  setText($('waiting'), state.usage.waiting);
}

async function post(model, action) {
  try {
    const response = await fetch(`/v1/models/${encodeURIComponent(model)}/${action}`, { method: 'POST' });
    setText($('problem'), response.ok ? '' : (await response.json()).error.message);
  } catch (failure) {
    setText($('problem'), failure.message);
  }
}

function memory(bytes) {
  return bytes > 0 ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : '';
}

function duration(seconds) {
  const units = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];
  const first = units.findIndex(([, length]) => seconds >= length);
  const [name, length] = units[first < 0 ? 3 : first];
  return `${Math.floor(Math.max(0, seconds) / length)} ${name}`;
}

const events = new EventSource('/v1/events');
events.onopen = () => setText($('connection'), 'connected');
events.onerror = () => setText($('connection'), 'not connected');
events.onmessage = message => {
  state.apply(JSON.parse(message.data));
  showModels();
  showWorkers();
  showExits();
  showUsage();
};

setInterval(() => {
  showWorkers();
  chart.add(state.usage.slots_in_use, state.usage.slots_total, state.usage.waiting);
}, 1000);
