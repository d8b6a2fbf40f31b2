// The transcript on the page: a section a paragraph, its words one text, which is all that an editor needs to touch.

import { byId, clock, element, t } from "../frame.js";
import { Marks } from "./highlights.js";
import { merged, occurrence, shared, spans, textOf, tidy, withText } from "./text.js";

/** @typedef {import("./types.js").Paragraph} Paragraph */
/** @typedef {import("./model.js").Model} Model */
/**
 * A paragraph on the page. `base` is what was there when typing began that isn't an edit yet, else null.
 * @typedef {{
 *   key: string, paragraph: Paragraph, base: Paragraph | null, index: number, head: string, laid: Laid | null,
 *   section: HTMLElement, name: HTMLButtonElement, link: HTMLAnchorElement, box: HTMLElement,
 * }} Row
 * Where the words lie in the text that is on the page; `shown` are the words it is of.
 * @typedef {{text: string, shown: Paragraph, spans: [number, number][]}} Laid
 */

export class View {
  /**
   * @param {HTMLElement} place @param {Model} model @param {boolean} editable
   * @param {{orphaned: (row: Row) => void}} listener told of rows that vanish while they are typed in
   */
  constructor(place, model, editable, listener) {
    this.place = place;
    this.model = model;
    this.editable = editable;
    this.listener = listener;
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<string, Row>} */
    this.byKey = new Map();
    /** @type {WeakMap<Element, Row>} */
    this.bySection = new WeakMap();
    /** @type {Row | null} */
    this.composing = null;
    /** @type {Row | null} */
    this.current = null;
    this.marks = { doubt: new Marks("doubt"), overlap: new Marks("overlap") };
    place.addEventListener("focusin", (event) => this.#enter(this.rowOf(/** @type {Node} */ (event.target))));
  }

  /** @param {Node | null} node */
  rowOf(node) {
    const from = node instanceof Element ? node : node?.parentElement;
    const section = from?.closest("section");
    return section ? this.bySection.get(section) ?? null : null;
  }

  /** Show what the model holds by now. What did not change is not touched. */
  update() {
    const rows = this.model.rows, there = new Set(rows.map((one) => one.key));
    const active = this.rowOf(document.activeElement), caret = active && !there.has(active.key) ? this.caret(active) : null;
    /** @type {Row[]} */
    const gone = [];
    for (const row of this.rows) if (!there.has(row.key)) gone.push(row);
    for (const row of gone) {
      row.section.remove();
      this.byKey.delete(row.key);
      this.#mark(row, true);
    }
    /** @type {Row[]} */
    const fresh = [];
    let before = "\0", next = this.place.firstElementChild;
    this.rows = rows.map(({ key, paragraph }, index) => {
      let row = this.byKey.get(key);
      if (!row) {
        row = this.#make(key, paragraph);
        fresh.push(row);
      } else if (row.paragraph !== paragraph) this.#change(row, paragraph);
      row.index = index;
      before = this.#head(row, before);
      if (row.section === next) next = next.nextElementSibling;
      else this.place.insertBefore(row.section, next);
      return row;
    });
    for (const row of fresh) this.#mark(row);
    if (this.current && !this.byKey.has(this.current.key)) this.current = null;
    if (!this.current) this.#enter(this.rows[0] ?? null);
    for (const row of gone) {
      if (this.composing === row) { row.base ??= row.paragraph; this.composing = null; }
      if (row.base) this.listener.orphaned(row);
    }
    if (active && caret) this.#follow(active, caret.from);
  }

  /** @param {Row} row @returns {Laid} */
  laid(row) {
    const text = row.box.textContent ?? "";
    if (row.laid?.text !== text) {
      const found = spans(row.paragraph, text);
      const shown = found ? row.paragraph : withText(row.paragraph, tidy(text), row.paragraph.id);
      row.laid = { text, shown, spans: found ?? spans(shown, text) ?? [] };
    }
    return row.laid;
  }

  /** The text node of a row, which is its only child. @param {Row} row @returns {Text} */
  node(row) {
    const [only, ...more] = row.box.childNodes;
    if (only instanceof Text && !more.length) return only;
    const at = this.caret(row), made = document.createTextNode((row.box.textContent ?? "").replace(/[\r\n]+/g, " "));
    row.box.replaceChildren(made);
    if (at) this.select(row, at.from, at.to);
    return made;
  }

  /** What is selected in a row, null where that is elsewhere. @param {Row} row */
  caret(row) {
    const selection = getSelection();
    if (!selection?.rangeCount || !row.box.contains(selection.anchorNode) || !row.box.contains(selection.focusNode)) return null;
    const range = selection.getRangeAt(0), measure = document.createRange();
    measure.selectNodeContents(row.box);
    measure.setEnd(range.startContainer, range.startOffset);
    const from = measure.toString().length;
    return { from, to: from + range.toString().length };
  }

  /** @param {Row} row @param {number} from @param {number} [to] */
  select(row, from, to = from) {
    const node = this.node(row), end = node.data.length;
    if (document.activeElement !== row.box) row.box.focus({ preventScroll: true });
    getSelection()?.setBaseAndExtent(node, Math.min(from, end), node, Math.min(to, end));
  }

  /** Put another text in place of a row's; a caret in it stays where it was in the words. @param {Row} row @param {string} text */
  write(row, text) {
    const node = this.node(row), was = node.data;
    if (was === text) return;
    const caret = this.caret(row), [head, tail] = shared(was, text), grown = text.length - was.length;
    const moved = (/** @type {number} */ at) => (at <= head ? at : at >= was.length - tail ? at + grown : Math.min(at, text.length - tail));
    node.replaceData(head, was.length - head - tail, text.slice(head, text.length - tail));
    if (caret) this.select(row, moved(caret.from), moved(caret.to));
  }

  /** Whether words were typed that aren't an edit yet. @param {Row} row */
  dirty(row) {
    return tidy(row.box.textContent ?? "") !== textOf(row.base ?? row.paragraph);
  }

  /** The text of a row changed on the page. @param {Row} row */
  typed(row) {
    row.base ??= row.paragraph;
    this.#mark(row);
  }

  /** Spacing as it should be, once nobody types there. @param {Row} row */
  settle(row) {
    if (this.composing !== row && !this.dirty(row)) {
      row.base = null;
      this.write(row, textOf(row.paragraph));
      this.#mark(row);
    }
  }

  /** The row and word that is said at a time, in ms; null before all. @param {number} time */
  at(time) {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.rows[middle]?.paragraph.starts[0] ?? 0) <= time) low = middle + 1; else high = middle;
    }
    const near = [1, 2, 3].flatMap((back) => this.rows[low - back] ?? []); // people may talk at once
    const row = near.find((one) => (one.paragraph.ends.at(-1) ?? 0) > time) ?? near[0];
    return row ? { row, word: wordIn(this.laid(row).shown, time) } : null;
  }

  /** The word with, or else before, a place in a row's text. @param {Row} row @param {number} offset */
  word(row, offset) {
    const found = this.laid(row).spans;
    let index = found.findIndex(([, to]) => offset <= to);
    if (index < 0) index = found.length - 1;
    const span = found[index];
    return span ? { index, from: span[0], to: span[1] } : null;
  }

  /** Bring a row into sight. @param {Row} row @param {number} [word] */
  reveal(row, word = 0) {
    const box = this.rect(row, word);
    if (!box?.height) { row.section.scrollIntoView({ block: "center" }); return; }
    const { top, bottom } = this.sight();
    if (box.top >= top + 24 && box.bottom <= bottom - 24) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || Math.abs(box.top - top) > 2 * innerHeight;
    scrollBy({ top: box.top - top - (bottom - top) * 0.35, behavior: still ? "instant" : "smooth" });
  }

  /** Where a word of a row is drawn. @param {Row} row @param {number} word */
  rect(row, word) {
    const span = this.laid(row).spans[word], node = row.box.firstChild;
    if (!span || !node) return row.section.getBoundingClientRect();
    const range = document.createRange();
    range.setStart(node, Math.min(span[0], node.textContent?.length ?? 0));
    range.setEnd(node, Math.min(span[1], node.textContent?.length ?? 0));
    return range.getBoundingClientRect();
  }

  /** Put a menu that is open beside what it is about. @param {HTMLElement} menu @param {Element} anchor */
  beside(menu, anchor) {
    const at = anchor.getBoundingClientRect(), size = menu.getBoundingClientRect(), { top, bottom } = this.sight();
    const below = at.bottom + 6 + size.height <= bottom || at.top - size.height < top;
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
    menu.style.top = `${Math.max(8, below ? Math.min(at.bottom + 6, innerHeight - size.height - 8) : at.top - size.height - 6)}px`;
  }

  /** What of the window nothing lies over. */
  sight() {
    const box = (/** @type {string} */ id) => byId(id).getBoundingClientRect(), bar = box("bar"), card = box("review");
    const above = card.width > this.place.clientWidth * 0.8 ? card.bottom : 0; // on narrow windows it lies above the text
    return { top: Math.max(0, bar.bottom, above), bottom: Math.min(innerHeight, box("player").top) };
  }

  // Rows.

  /** @param {string} key @param {Paragraph} paragraph @returns {Row} */
  #make(key, paragraph) {
    const name = element("button", { type: "button", class: "name", dir: "auto", tabindex: -1 });
    const link = element("a", { tabindex: this.editable ? -1 : 0 }, element("time"));
    const box = element("div", { class: "words" }, document.createTextNode(textOf(paragraph)));
    if (this.editable) {
      editing(box);
      box.setAttribute("role", "textbox");
      box.setAttribute("aria-multiline", "true");
      box.tabIndex = -1;
      name.setAttribute("aria-haspopup", "dialog");
    } else name.disabled = true;
    const section = element("section", {}, element("div", { class: "by" }, name, link), box);
    /** @type {Row} */
    const row = { key, paragraph, base: null, index: 0, head: "", laid: null, section, name, link, box };
    this.byKey.set(key, row);
    this.bySection.set(section, row);
    return row;
  }

  /** The caret was in a row that is now part of another. @param {Row} was @param {number} offset */
  #follow(was, offset) {
    const row = this.at((was.paragraph.starts[0] ?? 0) + 1)?.row;
    if (row) this.select(row, Math.max(0, occurrence(was.paragraph, row.paragraph)) + offset);
  }

  /** @param {Row} row @param {Paragraph} paragraph */
  #change(row, paragraph) {
    const was = textOf(row.base ?? row.paragraph), now = textOf(paragraph), typed = tidy(row.box.textContent ?? "");
    row.paragraph = paragraph;
    row.laid = null;
    row.head = "";
    if (this.composing === row) return;
    if (typed === now) row.base = null;
    else if (typed === was) { row.base = null; this.write(row, now); }
    else this.#together(row, was, typed);
    if (!row.base && document.activeElement !== row.box) this.write(row, now);
    this.#mark(row);
  }

  /** What came while somebody composed goes together with what they wrote. @param {Row} row */
  composed(row) {
    if (row.base && row.base !== row.paragraph) this.#together(row, textOf(row.base), tidy(row.box.textContent ?? ""));
  }

  /** @param {Row} row @param {string} was @param {string} typed */
  #together(row, was, typed) {
    const both = merged(was, typed, textOf(row.paragraph));
    if (both === null) return; // it is sent as a change of what was there, and the user is asked
    row.base = row.paragraph;
    if (both !== typed) this.write(row, both);
  }

  /** @param {Row} row @param {string} before the name above @returns {string} its own */
  #head(row, before) {
    const { paragraph } = row, name = this.model.name(paragraph.speaker), colour = this.model.colour(paragraph.speaker);
    const same = name === before, head = JSON.stringify([name, colour, same, paragraph.unsure, paragraph.starts[0]]);
    if (row.head === head) return name;
    row.head = head;
    const seconds = (paragraph.starts[0] ?? 0) / 1000, shown = name || t("editor.nobody");
    row.section.className = `${colour === null ? "" : `s${colour}`}${same ? " same" : ""}${paragraph.unsure ? " unsure" : ""}`;
    row.name.textContent = shown;
    if (paragraph.unsure) row.name.append(element("span", { class: "doubt", "aria-hidden": "true" }, " ?"), element("span", { class: "hush" }, ` (${t("editor.speaker_unsure")})`));
    row.link.href = `#t=${seconds}`;
    row.link.title = t("editor.play_from", { time: clock(seconds) });
    /** @type {HTMLElement} */ (row.link.firstChild).textContent = clock(seconds);
    row.box.dir = paragraph.direction;
    row.box.lang = paragraph.language;
    if (this.editable) row.box.setAttribute("aria-label", `${shown}, ${clock(seconds)}`);
    return name;
  }

  /** @param {Row} row @param {boolean} [gone] */
  #mark(row, gone = false) {
    const { doubt, overlap } = row.paragraph, node = gone ? null : row.box.firstChild;
    if (doubt.length || this.marks.doubt.ranges.has(row) || overlap.length || this.marks.overlap.ranges.has(row)) {
      const { shown, spans: found } = this.laid(row), of = (/** @type {number[]} */ indices) => indices.map((index) => found[index]);
      this.marks.doubt.set(row, node, of(shown.doubt));
      this.marks.overlap.set(row, node, of(shown.overlap));
      if (shown.doubt.length) {
        const words = shown.doubt.map((index) => (shown.words[index] ?? "").trim()).join(", ");
        row.box.setAttribute("aria-description", t("editor.doubtful", { words }));
      } else row.box.removeAttribute("aria-description");
    }
  }

  /** One row at a time is reached by Tab, the one that was last worked on. @param {Row | null} row */
  #enter(row) {
    if (!row || row === this.current || !this.editable) return; // readers reach each paragraph's link
    for (const [one, index] of /** @type {[Row | null, number][]} */ ([[this.current, -1], [row, 0]])) {
      if (!one) continue;
      one.name.tabIndex = one.link.tabIndex = one.box.tabIndex = index;
    }
    this.current = row;
  }
}

/** @param {Paragraph} paragraph @param {number} time */
function wordIn(paragraph, time) {
  let found = 0;
  for (const [index, start] of paragraph.starts.entries()) if (start <= time) found = index;
  return found;
}

/** @param {HTMLElement} box */
function editing(box) {
  try { box.contentEditable = "plaintext-only"; } catch { box.contentEditable = "true"; }
}
