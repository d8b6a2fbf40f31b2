// What is doubtful, one after the other: it plays, Enter says that it is right, typing corrects it, and on to the next.

import { api, byId, clock, count, element, frame, percent, t } from "../frame.js";
import { Marks } from "./highlights.js";
import { textOf, tidy } from "./text.js";
import { toast } from "./player.js";

/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./editing.js").Editing} Editing */
/** @typedef {import("./history.js").History} History */

const AROUND = 1; // seconds that are played before and after
const LISTED = 12; // items shown after the one at hand
const PAGE = 200; // items asked for at once
const REST = 2000; // ms without changes after which the list is asked for anew
const ANSWERS = { word: "editor.correct", speaker: "editor.someone_else", name: "editor.other_name" };

export class Review {
  /**
   * @param {string} address of the episode in the API @param {View} view @param {Player} player @param {History} history
   * @param {(row: Row, name: string | undefined, answered: (named: boolean) => void) => void} rename
   */
  constructor(address, view, player, history, rename) {
    this.address = address;
    this.view = view;
    this.player = player;
    this.history = history;
    this.rename = rename;
    /** @type {Editing | null} */
    this.editing = null;
    this.mark = new Marks("item");
    this.card = byId("review");
    this.active = false;
    /** @type {Item[]} */
    this.items = [];
    this.at = 0;
    this.next = ""; // the cursor where the list goes on, "" for nowhere
    this.asked = 0;
    this.timer = 0;
    this.told = "";
    byId("open-review").addEventListener("click", () => (this.active ? this.close() : this.open()));
    byId("review-close").addEventListener("click", () => this.close());
    byId("review-confirm").addEventListener("click", () => this.confirm());
    byId("review-correct").addEventListener("click", () => this.correct());
    byId("review-next").addEventListener("click", () => this.go(this.at + 1));
    byId("review-back").addEventListener("click", () => this.go(this.at - 1));
    byId("review-play").addEventListener("click", () => this.play());
  }

  /** @returns {Item | undefined} */
  get item() {
    return this.items[this.at];
  }

  async open() {
    this.active = true;
    this.card.hidden = false;
    document.documentElement.classList.add("reviewing");
    byId("open-review").setAttribute("aria-expanded", "true");
    await this.#load();
    this.go(0);
  }

  close() {
    this.active = false;
    this.card.hidden = true;
    document.documentElement.classList.remove("reviewing");
    this.mark.clear();
    this.player.looped = null;
    this.player.pause();
    byId("open-review").setAttribute("aria-expanded", "false");
    byId("open-review").focus();
  }

  /** The transcript changed: what is said otherwise by now is no longer in doubt; the rest is asked for when nothing goes on. */
  refresh() {
    if (!this.active) { this.#progress(); return; }
    const item = this.item, left = this.items.filter((one) => this.#stands(one));
    if (left.length < this.items.length) this.#keep(left, item);
    else this.#progress();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.#again(), this.items.length ? REST : 0);
  }

  /** The list anew, at the same item. */
  async #again() {
    const { item, at } = this, held = item !== undefined && this.#held(item);
    await this.#load();
    if (!this.active) return;
    if (held && !this.items.some((one) => one.id === item.id)) this.items.splice(at, 0, item);
    this.#keep(this.items, item);
  }

  /** Whether it is the one at hand and the caret is there: Enter is still to come. @param {Item} item */
  #held(item) {
    return item === this.item && this.editing?.row !== null && this.editing?.row === this.#place(item)?.row;
  }

  /** @param {Item[]} items @param {Item | undefined} item the one that was at hand */
  #keep(items, item) {
    const same = items.findIndex((one) => one.id === item?.id || (one.kind === item?.kind && one.start === item.start && one.text === item.text));
    this.items = items;
    this.at = same >= 0 ? same : Math.min(this.at, Math.max(0, items.length - 1));
    this.#show();
  }

  /** Whether the paragraph still says so, and is still marked. @param {Item} item */
  #stands(item) {
    if (item.kind === "name" || this.#held(item)) return true;
    const found = this.#place(item);
    if (!found || found.row.base) return true;
    const { paragraph } = found.row;
    if (item.kind === "speaker") return paragraph.unsure;
    const said = textOf({ ...paragraph, words: paragraph.words.slice(found.from, found.to + 1) });
    return said === tidy(item.text) && paragraph.doubt.includes(found.from);
  }

  /** @param {number} index */
  go(index) {
    if (!this.items.length) { this.#show(); this.card.focus(); return; }
    this.at = (index + this.items.length) % this.items.length;
    this.#show();
    this.play();
    if (this.item?.kind === "word" || this.item?.confirmable === false) this.correct(); else this.card.focus({ preventScroll: true });
    const found = this.#place();
    if (found) this.view.reveal(found.row, found.from);
    if (this.next && this.at + LISTED >= this.items.length) this.#load(this.next).then(() => this.#keep(this.items, this.item));
  }

  play() {
    if (this.item) this.player.loop(this.item.start - AROUND, this.item.end + AROUND);
  }

  /** It is right as it is. */
  confirm() {
    const item = this.item, found = this.#place();
    if (!item) return;
    if (item.confirmable === false) { this.correct(); return; } // nobody's name can't be right
    this.history.act({ do: "confirm", item: item.id, kind: item.kind, paragraph: found?.row.paragraph.id ?? "", from: found?.from ?? -1, to: found?.to ?? -1 },
      found ? [found.row.paragraph] : []);
    this.#done(item);
  }

  /** Put the words under the caret, or ask who speaks. */
  correct() {
    const item = this.item, found = this.#place();
    if (!item || !found) return;
    if (item.kind === "word") this.editing?.pick(found.row, found.from, found.to);
    else {
      this.rename(found.row, item.suggestion ?? (item.confirmable === false ? "" : undefined), (named) => {
        if (named) this.#done(item); else this.go(this.at + 1);
      });
    }
  }

  /**
   * Enter was pressed in the text: whether that was an answer.
   * @param {Row} row @param {boolean} changed @param {{first: number} | null} picked
   */
  enter(row, changed, picked) {
    const item = this.item, found = this.#place();
    if (!this.active || !item || found?.row !== row || !(changed || picked?.first === found.from)) return false;
    if (changed) { this.editing?.commit(row); this.#done(item); } else this.confirm();
    return true;
  }

  /** Escape was pressed in the text. */
  leave() {
    if (this.active) this.card.focus({ preventScroll: true });
    return this.active;
  }

  /** A key where no text is typed; whether it was one of these. @param {string} key */
  key(key) {
    if (!this.active) return false;
    /** @type {Record<string, () => void>} */
    const keys = { Enter: () => this.confirm(), e: () => this.correct(), n: () => this.go(this.at + 1), p: () => this.go(this.at - 1), r: () => this.play() };
    const act = keys[key];
    act?.();
    return act !== undefined;
  }

  /** @param {Item} item */
  #done(item) {
    const at = this.items.indexOf(item), next = at < 0 ? this.at : at; // refresh() may have taken it away
    this.items = this.items.filter((one) => one !== item);
    this.#progress();
    this.go(this.items.length ? Math.min(next, this.items.length - 1) : 0);
    if (!this.items.length) { this.mark.clear(); this.player.looped = null; this.player.pause(); }
  }

  /** The most doubtful ones, or those that come after what is there. @param {string} [cursor] */
  async #load(cursor = "") {
    const mine = (this.asked += 1);
    this.next = "";
    try {
      const page = await api("GET", `${this.address}/review?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      if (mine !== this.asked) return;
      const kept = cursor ? this.items : [], known = new Set(kept.map((item) => item.id));
      for (const { do: action } of this.view.model.pending) if (action.do === "confirm") known.add(action.item);
      this.next = page.next ?? "";
      this.items = [...kept, ...page.items.filter((/** @type {Item} */ item) => !known.has(item.id))];
    } catch (error) { toast(error instanceof Error ? error.message : String(error)); }
  }

  /** Where an item is on the page: its row, and its words there. @param {Item | undefined} [item] */
  #place(item = this.item) {
    if (!item) return null;
    const row = this.view.byKey.get(this.view.model.key(item.paragraph ?? "")) ?? this.view.at(item.start * 1000 + 1)?.row;
    if (!row) return null;
    const { shown } = this.view.laid(row), first = tidy(item.text).split(" ")[0], length = Math.max(0, item.to - item.from - 1);
    if (item.kind !== "word" || tidy(shown.words[item.from] ?? "").startsWith(first ?? "")) return { row, from: item.from, to: item.from + length };
    const away = (/** @type {number} */ start) => Math.abs(start - item.start * 1000);
    const from = shown.starts.reduce((best, start, index) => (away(start) < away(shown.starts[best] ?? Infinity) ? index : best), 0);
    return { row, from, to: Math.min(from + length, shown.words.length - 1) };
  }

  #progress() {
    const { doubts, pending } = this.view.model, waiting = pending.filter((edit) => edit.do.do === "confirm").length;
    const reviewed = Math.min(doubts.total, doubts.reviewed + waiting), left = doubts.total - reviewed;
    const button = byId("open-review");
    button.hidden = !this.view.editable || !(doubts.total || this.active);
    button.textContent = left ? count("editor.review", left) : t("editor.reviewed");
    const told = t("editor.progress", { reviewed, total: doubts.total });
    if (told !== this.told) byId("review-progress").textContent = this.told = told;
    const bar = byId("review-bar");
    bar.max = Math.max(1, doubts.total);
    bar.value = reviewed;
  }

  #show() {
    this.#progress();
    const item = this.item, found = this.#place();
    byId("review-item").hidden = !item;
    byId("review-none").hidden = item !== undefined;
    this.mark.clear();
    if (!item) { byId("review-list").replaceChildren(); return; }
    if (found) {
      const { spans } = this.view.laid(found.row), [first, last] = [spans[found.from], spans[found.to]];
      if (item.kind === "word" && first && last) this.mark.set("item", found.row.box.firstChild, [[first[0], last[1]]]);
    }
    byId("review-kind").textContent = t(`editor.kind_${item.kind}`);
    byId("review-text").textContent = item.text;
    byId("review-why").textContent = why(item);
    byId("review-suggestion").hidden = !item.suggestion;
    byId("review-suggestion").textContent = item.suggestion ? t("editor.suggestion", { text: item.suggestion }) : "";
    byId("review-confirm").hidden = item.confirmable === false;
    byId("review-correct").textContent = t(ANSWERS[item.kind]);
    const upcoming = this.items.slice(this.at + 1, this.at + 1 + LISTED);
    byId("review-list").replaceChildren(...upcoming.map((one, number) => element("li", {},
      element("button", { type: "button", onclick: () => this.go(this.at + 1 + number) },
        element("span", { class: "time" }, clock(one.start)), element("bdi", { class: "what" }, one.text), element("span", { class: "hush" }, `, ${why(one)}`)))));
  }
}

/** Why it is doubtful, in words. @param {Item} item */
function why(item) {
  const key = `editor.why_${item.confirmable === false ? "unnamed" : item.why}`, value = percent(item.value);
  return key in frame.texts ? t(key, { value }) : t("editor.why");
}
