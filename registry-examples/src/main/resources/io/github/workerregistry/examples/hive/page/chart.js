const POINTS = 240;
const HEIGHT = 60;
const MARGIN = 3;

/** Slots in use and requests that wait, a point each second. */
export class Chart {
  #busy = [];
  #waiting = [];
  #svg;

  constructor(svg) {
    this.#svg = svg;
  }

  add(busy, slots, waiting) {
    push(this.#busy, busy);
    push(this.#waiting, waiting);
    const most = Math.max(1, slots, ...this.#busy, ...this.#waiting);
    this.#draw('.busy', this.#busy, most);
    this.#draw('.waiting', this.#waiting, most);
  }

  #draw(line, values, most) {
    const y = value => HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN);
    this.#svg.querySelector(line).setAttribute('points',
      values.map((value, i) => `${POINTS - values.length + i},${y(value).toFixed(1)}`).join(' '));
  }
}

function push(values, value) {
  values.push(value);
  if (values.length > POINTS) {
    values.shift();
  }
}
