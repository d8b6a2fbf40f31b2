// What could not be saved because another wrote there meanwhile: both versions beside the paragraph, kept until one is chosen.

import { element, frame, t } from "../frame.js";
import { textOf, tidy } from "./text.js";

/** @typedef {import("./sync.js").Conflict} Conflict */
/** @typedef {import("./sync.js").Sync} Sync */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */

export class Conflicts {
  /** @param {string} episode @param {View} view @param {Sync} sync @param {import("./history.js").History} history */
  constructor(episode, view, sync, history) {
    this.view = view;
    this.sync = sync;
    this.history = history;
    this.prefix = `episcribe-conflict ${frame.caller.name} ${episode} `;
    /** @type {Map<string, {conflict: Conflict, panel: HTMLElement}>} */
    this.open = new Map();
    /** @type {Set<string>} those that the browser's storage has no room for */
    this.loose = new Set();
    for (const key of this.#kept()) {
      try { this.#show(JSON.parse(localStorage.getItem(key) ?? "")); } catch { /* none that can be read */ }
    }
  }

  /** Whether words would be lost with the page. */
  get unsafe() {
    return this.loose.size > 0;
  }

  #kept() {
    try { return Object.keys(localStorage).filter((one) => one.startsWith(this.prefix)); } catch { return []; }
  }

  /** @param {Conflict} conflict */
  add(conflict) {
    try { localStorage.setItem(this.prefix + conflict.op, JSON.stringify(conflict)); } catch { this.loose.add(conflict.op); }
    this.#show(conflict);
  }

  /** Rows come and go: each panel stays with the words that it is about. */
  place() {
    for (const { conflict, panel } of this.open.values()) {
      const home = this.#rows(conflict)[0]?.section;
      if (home ? panel.parentElement !== home : panel.parentElement === null) (home ?? this.view.place).append(panel);
    }
  }

  /** Those that say now what the conflict is about. @param {Conflict} conflict @returns {Row[]} */
  #rows({ base, theirs }) {
    const ids = new Set(theirs.map((one) => this.sync.model.key(one.id))), named = this.view.rows.filter((row) => ids.has(row.key));
    if (named.length) return named;
    const start = base[0]?.starts[0] ?? 0, near = this.view.at(start + 1)?.row ?? this.view.rows[0];
    return near ? [near] : [];
  }

  /** @param {Conflict} conflict */
  #show(conflict) {
    const theirs = conflict.theirs.map(textOf).join(" "), button = (/** @type {string} */ key, /** @type {() => void} */ act) =>
      element("button", { type: "button", class: "plain", onclick: act }, t(key));
    const told = conflict.detail || (conflict.by ? t("editor.conflict_by", { name: conflict.by }) : t("editor.conflict"));
    const panel = element("div", { class: "conflict", role: "group", "aria-label": t("editor.conflict_title") },
      element("p", { class: "told", role: "alert" }, told),
      element("dl", {},
        element("div", {}, element("dt", {}, t("editor.mine")), element("dd", { dir: "auto" }, conflict.mine || t("editor.nothing"))),
        element("div", {}, element("dt", {}, t("editor.theirs")), element("dd", { dir: "auto" }, theirs || t("editor.nothing")))),
      element("p", { class: "acts" }, button("editor.keep_mine", () => this.#mine(conflict)), button("editor.take_theirs", () => this.#close(conflict))));
    this.open.set(conflict.op, { conflict, panel });
    this.place();
  }

  /** @param {Conflict} conflict */
  #mine(conflict) {
    const [first, ...more] = this.#rows(conflict);
    if (!first) return;
    for (const row of more) this.history.act({ do: "join", paragraph: row.paragraph.id }, [first.paragraph, row.paragraph]);
    const text = tidy(conflict.mine);
    if (text !== textOf(first.paragraph)) this.history.act({ do: "text", paragraph: first.paragraph.id, text }, [first.paragraph]);
    this.#close(conflict);
  }

  /** @param {Conflict} conflict */
  #close(conflict) {
    const row = this.view.rowOf(this.open.get(conflict.op)?.panel ?? null);
    this.open.get(conflict.op)?.panel.remove();
    this.open.delete(conflict.op);
    this.loose.delete(conflict.op);
    try { localStorage.removeItem(this.prefix + conflict.op); } catch { /* no storage */ }
    if (row) this.view.select(row, 0);
  }
}
