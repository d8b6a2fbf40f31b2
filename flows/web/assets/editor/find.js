// Find and replace over the whole episode, also what the browser hasn't drawn.

import { byId, count, t } from "../frame.js";
import { Marks } from "./highlights.js";
import { bare, hits, pattern } from "./text.js";
import { toast } from "./player.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./history.js").History} History */
/** @typedef {{row: Row, from: number, to: number}} Hit */

export class Find {
  /** @param {View} view @param {Player} player @param {History} history @param {() => void} commit what was typed */
  constructor(view, player, history, commit) {
    this.view = view;
    this.player = player;
    this.history = history;
    this.commit = commit;
    /** @type {HTMLElement} */
    this.bar = byId("find");
    /** @type {HTMLInputElement} */
    this.query = byId("query");
    this.other = byId("replacement");
    this.sameCase = byId("same-case");
    this.wholeWords = byId("whole-words");
    this.marks = { hit: new Marks("hit"), here: new Marks("here") };
    /** @type {Hit[]} */
    this.hits = [];
    this.here = -1;
    this.typing = 0;
    /** @type {{row: Row, from: number, to: number} | null} */
    this.back = null;
    byId("replace-part").hidden = !view.editable;
    this.query.addEventListener("input", () => { clearTimeout(this.typing); this.typing = window.setTimeout(() => this.#search(), 80); });
    for (const box of [this.sameCase, this.wholeWords]) box.addEventListener("change", () => this.#search());
    this.bar.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); this.close(); }
      if (event.key === "Enter" && event.target === this.query) { event.preventDefault(); this.#soon(); this.step(event.shiftKey ? -1 : 1); }
      if (event.key === "Enter" && event.target === this.other) { event.preventDefault(); this.replace(); }
    });
    byId("find-back").addEventListener("click", () => this.step(-1));
    byId("find-next").addEventListener("click", () => this.step(1));
    byId("replace-one").addEventListener("click", () => this.replace());
    byId("replace-all").addEventListener("click", () => this.replaceAll());
    byId("find-close").addEventListener("click", () => this.close());
  }

  open() {
    const selected = getSelection()?.toString().trim() ?? "", row = this.view.rowOf(document.activeElement), caret = row && this.view.caret(row);
    if (this.bar.hidden) this.back = row && caret ? { row, ...caret } : null;
    this.bar.hidden = false;
    if (selected && row) this.query.value = selected.slice(...bare(selected, 0, selected.length));
    this.query.focus();
    this.query.select();
    this.#search();
  }

  close() {
    const hit = this.hits[this.here], { back } = this;
    this.bar.hidden = true;
    this.hits = [];
    this.here = -1;
    this.#mark();
    const row = hit?.row ?? back?.row;
    if (row && this.view.editable && this.view.byKey.get(row.key) === row) this.view.select(row, hit?.from ?? back?.from ?? 0, hit?.to ?? back?.to);
    else byId("open-find").focus();
  }

  /** The words changed. */
  refresh() {
    if (!this.bar.hidden) this.#search(true);
  }

  #soon() {
    if (this.typing) this.#search();
  }

  #search(again = false) {
    clearTimeout(this.typing);
    this.typing = 0;
    const wanted = pattern(this.query.value.trim(), this.sameCase.checked, this.wholeWords.checked), before = this.hits[this.here];
    this.hits = wanted ? this.view.rows.flatMap((row) => hits(row.box.textContent ?? "", wanted).map(([from, to]) => ({ row, from, to }))) : [];
    this.here = again && before ? this.hits.findIndex((hit) => hit.row === before.row && hit.from === before.from) : -1;
    this.#mark();
    this.#tell();
  }

  #mark() {
    this.marks.hit.clear();
    this.marks.here.clear();
    /** @type {Map<Row, [number, number][]>} */
    const byRow = new Map();
    for (const { row, from, to } of this.hits) byRow.set(row, [...(byRow.get(row) ?? []), [from, to]]);
    for (const [row, stretches] of byRow) this.marks.hit.set(row, row.box.firstChild, stretches);
    const hit = this.hits[this.here], time = (/** @type {Hit} */ one) => one.row.paragraph.starts[this.view.word(one.row, one.from + 1)?.index ?? 0] ?? 0;
    if (hit) this.marks.here.set("here", hit.row.box.firstChild, [[hit.from, hit.to]]);
    this.player.ticks(this.hits.map(time), hit ? time(hit) : null);
  }

  #tell() {
    const none = !this.hits.length, at = this.hits[this.here];
    if (none && this.bar.contains(document.activeElement) && document.activeElement?.tagName === "BUTTON") this.query.focus();
    for (const id of ["find-back", "find-next", "replace-one", "replace-all"]) byId(id).disabled = none;
    byId("found").textContent = !this.query.value.trim() ? "" : none ? t("editor.no_hits")
      : at ? t("editor.hit_of", { number: this.here + 1, total: this.hits.length }) : count("editor.hits", this.hits.length);
  }

  /** @param {number} by */
  step(by) {
    if (!this.hits.length) return;
    if (this.here < 0) {
      const now = this.back?.row.index ?? this.view.at(this.player.position * 1000)?.row.index ?? 0;
      const from = this.hits.findIndex((hit) => hit.row.index >= now);
      this.here = by > 0 ? Math.max(0, from) : (from > 0 ? from : this.hits.length) - 1;
    } else this.here = (this.here + by + this.hits.length) % this.hits.length;
    this.#mark();
    this.#tell();
    const hit = this.hits[this.here];
    if (!hit) return;
    const word = this.view.word(hit.row, hit.from + 1)?.index ?? 0;
    this.player.follow(false);
    if (!this.player.playing) this.player.cue((this.view.laid(hit.row).shown.starts[word] ?? 0) / 1000 + 0.001);
    this.player.follow(false);
    this.view.reveal(hit.row, word);
  }

  /** This hit, then on to the next. */
  replace() {
    if (this.here < 0) { this.step(1); return; }
    const hit = this.hits[this.here];
    if (!hit) return;
    const text = hit.row.box.textContent ?? "", { from, row } = hit;
    this.view.write(row, text.slice(0, from) + this.other.value + text.slice(hit.to));
    this.view.typed(row);
    this.commit();
    this.#search();
    const next = this.hits.findIndex((one) => one.row.index > row.index || (one.row === row && one.from >= from + this.other.value.length));
    this.here = next < 0 && this.hits.length ? this.hits.length - 1 : next - 1;
    if (this.hits.length) this.step(1);
  }

  replaceAll() {
    const number = this.hits.length;
    if (!number) return;
    this.commit();
    this.history.act({ do: "replace", find: this.query.value.trim(), replace: this.other.value, case: this.sameCase.checked, words: this.wholeWords.checked });
    toast(count("editor.replaced", number));
  }
}
