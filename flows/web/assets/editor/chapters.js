// Chapters: a list that plays and is edited, headings in the text, marks on the timeline.

import { byId, clock, element, icon, t } from "../frame.js";
import { begins, named, same } from "./model.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./history.js").History} History */
/** @typedef {import("./types.js").Chapter} Chapter */

const TIME = /^(\d+:){0,2}\d+(\.\d+)?$/;

export class Chapters {
  /** @param {View} view @param {Player} player @param {History} history */
  constructor(view, player, history) {
    this.view = view;
    this.player = player;
    this.history = history;
    /** @type {HTMLOListElement} */
    this.list = byId("chapter-list");
    /** @type {HTMLElement} */
    this.menu = byId("chapter");
    /** @type {HTMLInputElement} */
    this.title = byId("chapter-title");
    /** @type {HTMLInputElement} */
    this.start = byId("chapter-start");
    this.now = byId("chapter-now");
    /** @type {HTMLElement[]} */
    this.heads = [];
    this.shown = this.placed = "";
    /** @type {Chapter | null} the one that is edited; null for a new one */
    this.was = null;
    this.exact = 0; // seconds that the time in the field stands for
    /** @type {{focus: () => void} | null} */
    this.back = null;
    player.chaptered = (index) => this.#mark(index);
    if (!view.editable) return;
    byId("chapter-add").addEventListener("click", () => this.add());
    byId("chapters-keep").addEventListener("click", () => this.#keep());
    byId("chapters-told").addEventListener("click", () => { history.act({ do: "chapters", chapters: null }); byId("chapter-add").focus(); });
    byId("chapter-form").addEventListener("submit", (/** @type {Event} */ event) => { event.preventDefault(); this.#save(); });
    byId("chapter-remove").addEventListener("click", () => this.#remove());
    this.now.addEventListener("click", () => { this.#time(this.player.position); this.start.focus(); });
    this.start.addEventListener("input", () => this.start.setCustomValidity(""));
    this.menu.addEventListener("toggle", (event) => { if (/** @type {ToggleEvent} */ (event).newState === "closed") this.#closed(); });
  }

  get #all() {
    return this.view.model.local.chapters;
  }

  /** Show what there is by now. */
  refresh() {
    const { source, told, made_for, list } = this.#all, { editable } = this.view, shown = JSON.stringify(this.#all);
    if (shown !== this.shown) {
      this.shown = shown;
      this.list.replaceChildren(...list.map((one) => this.#item(one)));
      byId("chapter-part").hidden = !list.length && !editable;
      const proposed = source === "proposed" && list.length > 0;
      byId("chapters-note").hidden = !proposed;
      byId("chapters-other").hidden = made_for === null;
      if (made_for !== null) byId("chapters-other").textContent = t("editor.chapters_other", { was: clock(made_for), now: clock(this.player.total) });
      if (editable) {
        byId("chapters-keep").hidden = !proposed && made_for === null;
        byId("chapters-told").hidden = source !== "user" || !told;
        byId("chapters-told").textContent = t(told === "proposed" ? "editor.chapters_proposed_again" : "editor.chapters_told_again");
      }
      const needing = /** @type {NodeListOf<HTMLOptionElement>} */ (document.querySelectorAll("[data-needs=chapters]"));
      for (const option of needing) option.hidden = option.disabled = !list.length;
      this.player.mark(list);
    }
    this.#head();
  }

  /** A new one at a row, or where it plays. @param {Row | null} [row] */
  add(row = null) {
    const start = row ? (row.paragraph.starts[0] ?? 0) / 1000 : this.player.position, at = document.activeElement;
    const back = row ? { focus: () => row.name.focus() } : at instanceof HTMLElement ? at : null;
    this.#open(null, start, row?.name ?? (at === document.body ? byId("when") : at), back);
  }

  // On the page.

  /** @param {Chapter} one */
  #item(one) {
    const link = element("a", { href: `#t=${one.start}`, onclick: (/** @type {MouseEvent} */ event) => this.#play(event, one) },
      element("span", { class: "time" }, clock(one.start)), element("bdi", {}, one.title));
    const by = one.by ? element("span", { class: "share" }, t("editor.chapter_by", { name: one.by })) : null;
    if (!this.view.editable) return element("li", {}, link, by);
    const edit = element("button", { type: "button", class: "icon", "aria-haspopup": "dialog", "aria-label": t("editor.chapter_edit", { title: one.title }) }, icon("edit"));
    edit.addEventListener("click", () => this.#open(one, one.start, edit, { focus: () => this.#focus(one) }));
    return element("li", {}, link, edit, by);
  }

  /** @param {MouseEvent} event @param {Chapter} one */
  #play(event, one) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.replaceState(null, "", `#t=${one.start}`);
    this.player.jump(one.start, true);
  }

  /** Headings stand above the first paragraph of which most comes after the beginning. */
  #head() {
    const { source, list } = this.#all, { rows } = this.view;
    /** @type {[Chapter, Row][]} */
    const places = [];
    let at = 0;
    for (const one of list) {
      while (at < rows.length && middle(/** @type {Row} */ (rows[at])) < one.start * 1000) at += 1;
      const row = rows[at];
      if (row) places.push([one, row]);
    }
    const placed = JSON.stringify([source, places.map(([one, row]) => [row.key, one])]);
    if (placed === this.placed && this.heads.every((head) => head.isConnected)) return;
    this.placed = placed;
    for (const head of this.heads) head.remove();
    this.heads = places.map(([one, row]) => {
      const title = this.view.editable
        ? element("button", { type: "button", tabindex: -1, "aria-haspopup": "dialog", dir: "auto", onclick: () => this.#open(one, one.start, head, { focus: () => row.name.focus() }) }, one.title)
        : element("span", { dir: "auto" }, one.title);
      const head = element("h2", { class: "chapter-head" }, title, source === "proposed" ? element("span", { class: "share" }, t("editor.chapter_proposed")) : null);
      row.section.insertBefore(head, row.section.querySelector(".by"));
      return head;
    });
  }

  /** @param {number} index of the chapter that is heard */
  #mark(index) {
    for (const [at, item] of [...this.list.children].entries()) {
      const link = item.querySelector("a");
      if (at === index) link?.setAttribute("aria-current", "true"); else link?.removeAttribute("aria-current");
    }
  }

  // Editing one.

  /** @param {Chapter | null} was @param {number} start @param {Element | null} anchor @param {{focus: () => void} | null} back */
  #open(was, start, anchor, back) {
    this.was = was;
    this.title.value = was?.title ?? "";
    this.#time(start);
    this.now.textContent = t("editor.chapter_now", { time: clock(this.player.position) });
    byId("chapter-label").textContent = t(was ? "editor.chapter" : "editor.chapter_new");
    byId("chapter-remove").hidden = !was;
    this.menu.showPopover();
    this.back = back;
    this.view.beside(this.menu, anchor ?? byId("when"));
    this.title.focus();
    this.title.select();
  }

  /** @param {number} seconds */
  #time(seconds) {
    this.exact = Math.round(seconds * 1000) / 1000;
    this.start.value = clock(seconds);
    this.start.setCustomValidity("");
  }

  /** What the field says, in seconds; null where that is no time of the episode. */
  #said() {
    const text = this.start.value.trim();
    if (text === clock(this.exact)) return this.exact;
    const seconds = TIME.test(text) ? text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) : NaN;
    return seconds >= 0 && (!this.player.total || seconds < this.player.total) ? Math.round(seconds * 1000) / 1000 : null;
  }

  #save() {
    const { was } = this, title = named(this.title.value), start = this.#said();
    if (!title) { this.title.focus(); return; }
    const taken = start !== null && this.#all.list.some((one) => begins(one) === Math.round(start * 1000) && !(was && same(one, was)));
    if (start === null || taken) {
      this.start.setCustomValidity(t(taken ? "editor.chapter_taken" : "editor.chapter_no_time"));
      this.start.reportValidity();
      return;
    }
    const now = { start, title };
    if (!was || !same(was, now)) this.history.act(was ? { do: "chapter", was: plain(was), now } : { do: "chapter", now });
    if (was) this.back = this.back && { focus: () => this.#focus(now) };
    this.menu.hidePopover();
  }

  #remove() {
    if (this.was) this.history.act({ do: "chapter", was: plain(this.was) });
    this.back = byId("chapter-add");
    this.menu.hidePopover();
  }

  #keep() {
    this.history.act({ do: "keep_chapters" });
    byId("chapter-add").focus();
  }

  #closed() {
    const at = document.activeElement;
    if (at === document.body || this.menu.contains(at)) this.back?.focus();
    this.back = null;
  }

  /** The button of a chapter in the list. @param {{start: number, title: string}} wanted */
  #focus(wanted) {
    const at = this.#all.list.findIndex((one) => same(one, wanted));
    const button = this.list.children[at]?.querySelector("button") ?? byId("chapter-add");
    button.focus();
  }
}

/** @param {{start: number, title: string}} chapter */
const plain = ({ start, title }) => ({ start, title });

/** @param {Row} row */
const middle = ({ paragraph }) => ((paragraph.starts[0] ?? 0) + (paragraph.ends.at(-1) ?? 0)) / 2;
