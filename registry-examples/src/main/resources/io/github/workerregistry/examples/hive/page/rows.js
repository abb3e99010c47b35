/** Rows of a table by key. A row that stays keeps its elements, and so the focus. */
export class Rows {
  #body;
  #labels;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
    this.#labels = [...body.closest('table').querySelectorAll('th')].map(header => header.textContent);
  }

  /** Shows items: their key, the texts of their cells, and the buttons of the last one. */
  show(items) {
    const keys = new Set(items.map(item => item.key));
    for (const [key, row] of this.#rows) {
      if (!keys.has(key)) {
        row.remove();
        this.#rows.delete(key);
      }
    }
    for (const item of items) {
      const row = this.#rows.get(item.key) ?? this.#add(item);
      item.cells.forEach((text, i) => setText(row.cells[i], text));
      item.buttons.forEach((button, i) => {
        row.cells[item.cells.length].children[i].disabled = button.disabled ?? false;
      });
    }
  }

  #add(item) {
    const row = this.#body.insertRow();
    row.dataset.key = item.key;
    for (const label of this.#labels) {
      row.insertCell().dataset.label = label;
    }
    for (const button of item.buttons) {
      const element = document.createElement('button');
      element.type = 'button';
      element.textContent = button.text;
      element.setAttribute('aria-label', `${button.text} ${item.key}`);
      element.addEventListener('click', button.action);
      row.cells[item.cells.length].append(element, ' ');
    }
    this.#rows.set(item.key, row);
    return row;
  }
}

export function setText(element, text) {
  if (element.textContent !== String(text)) {
    element.textContent = text;
  }
}
