// Undo and redo of one's own edits. An undone edit is done again as a new one, if things are as they were before it.

import { t } from "../frame.js";
import { SAME_MOMENT } from "./model.js";
import { textOf } from "./text.js";
import { toast } from "./player.js";

/** @typedef {import("./types.js").Action} Action */
/** @typedef {import("./types.js").Edit} Edit */
/** @typedef {import("./types.js").Paragraph} Paragraph */
/** @typedef {import("./sync.js").Sync} Sync */
/** @typedef {import("./view.js").View} View */
/** @typedef {{op: string, action: Action | null, base: Paragraph[]}} Entry what was done, and to what; null where another page did it */

export class History {
  /** @param {Sync} sync @param {View} view @param {() => void} changed */
  constructor(sync, view, changed) {
    this.sync = sync;
    this.view = view;
    this.changed = changed;
    /** @type {Entry[]} */
    this.done = [];
    /** @type {Entry[]} */
    this.undone = [];
  }

  /** What could be undone on other pages. @param {{op: string}[]} list */
  seed(list) {
    const known = new Map(this.done.map((entry) => [entry.op, entry])), pending = new Set(this.sync.model.pending.map((edit) => edit.op));
    const taken = new Set(this.sync.model.pending.map(({ do: action }) => (action.do === "undo" ? action.edit : ""))); // on its way
    const told = list.filter(({ op }) => !taken.has(op)).map(({ op }) => known.get(op) ?? { op, action: null, base: [] });
    const ops = new Set(told.map((entry) => entry.op));
    this.done = [...told, ...this.done.filter((entry) => pending.has(entry.op) && !ops.has(entry.op))];
    this.changed();
  }

  /**
   * Do something that can be undone.
   * @param {Action} action @param {Paragraph[]} [base]
   */
  act(action, base = []) {
    this.undone = [];
    this.#act(action, base);
  }

  undo() {
    const entry = this.done.pop();
    if (!entry) return;
    if (!this.sync.withdraw(entry.op)) this.sync.send({ do: "undo", edit: entry.op });
    if (entry.action) this.undone.push(entry); else this.undone = [];
    this.changed();
    this.#show(entry);
  }

  redo() {
    const entry = this.undone.pop();
    if (!entry?.action) return;
    const base = entry.base.flatMap((one) => this.#again(one) ?? []);
    if (base.length !== entry.base.length) {
      toast(t("editor.redo_refused"));
      this.undone = [];
    } else {
      const last = base.at(-1);
      this.#act("paragraph" in entry.action && last ? { ...entry.action, paragraph: last.id } : entry.action, base);
    }
    this.changed();
    this.#show(entry);
  }

  /** Edits that were not done can't be undone, nor undoing that was not done be taken back. @param {import("./types.js").Edit[]} edits */
  dropped(edits) {
    const ops = new Set(edits.map((edit) => edit.op)), kept = new Set(edits.map(({ do: action }) => (action.do === "undo" ? action.edit : "")));
    this.done = this.done.filter((entry) => !ops.has(entry.op));
    this.undone = this.undone.filter((entry) => !kept.has(entry.op));
    this.changed();
  }

  /** @param {Action} action @param {Paragraph[]} base */
  #act(action, base) {
    this.done.push({ op: this.sync.send(action, base).op, action, base });
    this.changed();
  }

  /** What is now as a paragraph was. @param {Paragraph} was */
  #again(was) {
    const text = textOf(was), start = was.starts[0] ?? 0;
    return this.view.model.local.paragraphs.find((one) => Math.abs((one.starts[0] ?? 0) - start) <= SAME_MOMENT && textOf(one) === text);
  }

  /** @param {Entry} entry */
  #show({ base: [first] }) {
    const row = first && this.view.at((first.starts[0] ?? 0) + 1)?.row;
    if (row) this.view.reveal(row);
  }
}
