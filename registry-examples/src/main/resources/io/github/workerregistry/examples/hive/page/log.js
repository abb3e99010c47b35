const MOST_LINES = 1000;

/** The log of one worker, followed until another one is shown. */
export class Log {
  #section = document.getElementById('log-section');
  #title = document.getElementById('log-title');
  #text = document.getElementById('log');
  #follows = new AbortController();
  #opener = null;

  constructor() {
    document.getElementById('log-close').addEventListener('click', () => this.#close());
  }

  async show(id) {
    this.#follows.abort();
    const follows = this.#follows = new AbortController();
    this.#opener = document.activeElement;
    this.#section.hidden = false;
    this.#title.textContent = `Log of ${id}`;
    this.#text.replaceChildren();
    this.#text.focus();
    try {
      const response = await fetch(`/v1/workers/${encodeURIComponent(id)}/log?follow`, { signal: follows.signal });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        this.#append(piece.value);
      }
      this.#append('(end)\n');
    } catch (failure) {
      if (!follows.signal.aborted) {
        this.#append(`(${failure.message})\n`);
      }
    }
  }

  #append(text) {
    const box = this.#text;
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
    box.append(...text.split(/(?<=\n)/));
    while (box.childNodes.length > MOST_LINES) {
      box.firstChild.remove();
    }
    if (atEnd) {
      box.scrollTop = box.scrollHeight;
    }
  }

  #close() {
    this.#follows.abort();
    this.#section.hidden = true;
    this.#opener?.focus();
  }
}
