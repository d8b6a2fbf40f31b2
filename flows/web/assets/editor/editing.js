// The caret in the transcript: click a word and type; Enter splits, Backspace at the beginning joins; keys of the player.

import { number, storage, t } from "../frame.js";
import { bare, letters, sentences, textOf, tidy } from "./text.js";
import { toast } from "./player.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./history.js").History} History */
/** @typedef {{row: Row, first: number, last: number, from: number, to: number, text: string}} Picked words to be typed over, where they lie, and the text around them then */

const MOST = 20_000; // characters of a paragraph
const REST = 1000; // ms without typing after which words are saved

export class Editing {
  /**
   * @param {View} view @param {Player} player @param {History} history
   * @param {{name: (row: Row) => void, enter: (row: Row, changed: boolean, picked: Picked | null) => boolean, leave: (row: Row) => boolean}} asked
   *   for the menu of names; whether Enter, and Escape, meant something else
   */
  constructor(view, player, history, asked) {
    this.view = view;
    this.player = player;
    this.history = history;
    this.asked = asked;
    /** @type {Picked | null} */
    this.picked = null;
    /** @type {number | null} */
    this.column = null;
    this.loose = false; // Escape was pressed: Tab leaves the text
    this.rest = 0;
    const { place } = view;
    place.addEventListener("click", (event) => this.#click(event));
    if (!view.editable) return;
    place.addEventListener("beforeinput", (event) => this.#before(event));
    place.addEventListener("input", (event) => {
      const row = view.rowOf(/** @type {Node} */ (event.target));
      if (row) this.typed(row);
    });
    place.addEventListener("compositionstart", (event) => {
      const row = (view.composing = view.rowOf(/** @type {Node} */ (event.target)));
      if (row) row.base ??= row.paragraph;
    });
    place.addEventListener("compositionend", () => {
      const row = view.composing;
      view.composing = null;
      if (!row) return;
      view.composed(row);
      this.typed(row);
    });
    place.addEventListener("keydown", (event) => this.#key(event));
    place.addEventListener("focusout", (event) => {
      const row = view.rowOf(/** @type {Node} */ (event.target));
      this.loose = false;
      if (row && event.target === row.box) this.#left(row);
    });
    place.addEventListener("dragstart", (event) => { if (event.target instanceof Node && view.rowOf(event.target)) event.preventDefault(); });
    for (const event of ["pagehide", "visibilitychange"]) addEventListener(event, () => this.commitAll());
  }

  get followsCaret() {
    return storage.get("caret") !== "off";
  }

  /** The row that the caret is in. @returns {Row | null} */
  get row() {
    const row = this.view.rowOf(document.activeElement);
    return row && document.activeElement === row.box ? row : null;
  }

  /** Make an edit of what was typed, if anything was. @param {Row} row */
  commit(row) {
    const { view } = this, text = tidy(row.box.textContent ?? ""), base = row.base ?? row.paragraph;
    if (view.composing === row) return;
    row.base = null;
    if (text !== textOf(base)) this.history.act({ do: "text", paragraph: base.id, text }, [base]);
    if (text !== textOf(row.paragraph)) view.write(row, textOf(row.paragraph)); // another changed it: the user is asked
  }

  commitAll() {
    for (const row of this.view.rows) if (row.base) this.commit(row);
  }

  /** Select a word, or words, to be typed over. @param {Row} row @param {number} first @param {number} [last] */
  pick(row, first, last = first) {
    const { text, spans } = this.view.laid(row), [start] = spans[first] ?? [], end = spans[last]?.[1];
    if (start === undefined || end === undefined) return;
    const [from = start, to = end] = bare(text, start, end);
    this.view.select(row, from, to);
    this.picked = { row, first, last, from, to, text };
    this.loose = false;
  }

  /** @param {Row} row */
  typed(row) {
    this.loose = false;
    if (this.view.composing === row) return;
    this.view.node(row);
    this.view.typed(row);
    if (this.player.playing) this.player.follow(false); // what is typed stays in sight
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => this.#rested(row), REST);
  }

  #rested(/** @type {Row} */ row) {
    // An empty paragraph is gone: not while somebody may be about to type it anew.
    if (this.view.byKey.get(row.key) === row && tidy(row.box.textContent ?? "")) this.commit(row);
  }

  /** @param {Row} row */
  #left(row) {
    if (this.picked?.row === row) this.picked = null;
    queueMicrotask(() => {
      if (document.activeElement === row.box || this.view.byKey.get(row.key) !== row) return;
      this.commit(row);
      this.view.settle(row);
    });
  }

  // The mouse.

  /** @param {MouseEvent} event */
  #click(event) {
    const { view } = this, target = /** @type {Element} */ (event.target), row = view.rowOf(target);
    if (!row || event.button) return;
    const link = target.closest("a");
    if (link === row.link) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      history.replaceState(null, "", link.hash);
      this.player.jump((row.paragraph.starts[0] ?? 0) / 1000, true);
      return;
    }
    if (target.closest(".name") && view.editable) { this.commitAll(); this.asked.name(row); return; }
    if (!row.box.contains(target)) return;
    const caret = view.caret(row), word = caret && this.#under(row, event);
    this.loose = false;
    this.column = null;
    if (!view.editable) {
      if (word && caret.from === caret.to) this.player.jump((view.laid(row).shown.starts[word.index] ?? 0) / 1000 + 0.001, true);
      return;
    }
    const before = this.picked;
    if (event.detail === 2 && word) { // twice: a plain caret
      view.select(row, offsetAt(event, row) ?? word.from);
      this.picked = null;
    } else if (event.detail < 2 && caret && caret.from === caret.to) {
      const again = before?.row === row && word !== null && word.index >= before.first && word.index <= before.last && !this.#changed(before);
      if (word && !again) this.pick(row, word.index); else this.picked = null;
    } else this.picked = null;
    if (word) this.#follow(row, word.index, true);
  }

  /** The word at the pointer, not the one nearest to it. @param {Row} row @param {MouseEvent} event */
  #under(row, event) {
    const offset = offsetAt(event, row), before = offset === null ? null : this.view.word(row, offset), node = row.box.firstChild;
    if (!before || offset === null || !node) return null;
    const after = this.view.laid(row).spans[before.index + 1], range = document.createRange();
    const near = after?.[0] === offset ? [before, { index: before.index + 1, from: after[0], to: after[1] }] : [before];
    const lies = (/** @type {{from: number, to: number}} */ { from, to }, /** @type {number} */ slack) => {
      range.setStart(node, from);
      range.setEnd(node, to);
      return from <= offset && [...range.getClientRects()].some((box) => event.clientX >= box.left - slack && event.clientX <= box.right + slack);
    };
    return near.find((word) => lies(word, 0)) ?? near.find((word) => lies(word, 2)) ?? null;
  }

  /** Play position where the caret is. @param {Row} row @param {number} word @param {boolean} [playing] also while it plays */
  #follow(row, word, playing = false) {
    const start = this.view.laid(row).shown.starts[word];
    if (this.followsCaret && start !== undefined && (playing || !this.player.playing)) this.player.cue(start / 1000 + 0.001);
  }

  // Typing.

  /** @param {InputEvent} event */
  #before(event) {
    const row = this.view.rowOf(/** @type {Node} */ (event.target)), kind = event.inputType;
    if (!row || event.isComposing) return;
    const caret = this.view.caret(row), plain = caret !== null && caret.from === caret.to;
    if (kind === "insertParagraph" || kind === "insertLineBreak") { event.preventDefault(); this.#enter(row); }
    else if (kind === "historyUndo" || kind === "historyRedo") { event.preventDefault(); this.step(kind === "historyUndo"); }
    else if (kind === "insertFromPaste") { event.preventDefault(); this.insert(row, event.dataTransfer?.getData("text/plain") ?? event.data ?? ""); }
    else if (kind === "insertFromDrop" || kind === "deleteByDrag" || kind.startsWith("format")) event.preventDefault();
    else if (/^delete.*Backward$/.test(kind) && plain && caret.from === 0) { event.preventDefault(); this.join(row); }
    else if (/^delete.*Forward$/.test(kind) && plain && caret.from === (row.box.textContent ?? "").length) { event.preventDefault(); this.joinNext(row); }
  }

  /** Text in place of what is selected, on one line. @param {Row} row @param {string} text */
  insert(row, text) {
    const caret = this.view.caret(row), node = this.view.node(row), line = text.replace(/\s+/g, " ");
    if (!caret || !line) return;
    if (node.length - (caret.to - caret.from) + line.length > MOST) {
      toast(t("editor.too_long", { count: number(MOST) }));
      return;
    }
    node.replaceData(caret.from, caret.to - caret.from, line);
    this.view.select(row, caret.from + line.length);
    this.typed(row);
  }

  /** @param {boolean} back */
  step(back) {
    this.commitAll();
    this.picked = null;
    if (back) this.history.undo(); else this.history.redo();
  }

  /** @param {Picked} picked */
  #changed(picked) {
    return (picked.row.box.textContent ?? "") !== picked.text;
  }

  /** @param {Row} row */
  #enter(row) {
    const { view } = this, caret = view.caret(row), picked = this.picked?.row === row ? this.picked : null;
    const changed = picked !== null && this.#changed(picked);
    if (changed) this.#confirm(picked);
    if (this.asked.enter(row, changed || view.dirty(row), picked) || changed || !caret) return;
    this.picked = null;
    const text = row.box.textContent ?? "", word = view.laid(row).spans.find(([from, to]) => from < caret.from && caret.from < to);
    const at = word ? (caret.from - word[0] < word[1] - caret.from ? word[0] : word[1]) : caret.from;
    const before = letters(text.slice(0, at));
    if (!before || before === letters(text)) return;
    this.commit(row);
    this.history.act({ do: "split", paragraph: row.paragraph.id, letters: before }, [row.paragraph]);
    const second = view.rows[row.index + 1];
    if (second) { view.select(second, 0); keepInSight(second.section); }
  }

  /** The word that was typed stands. @param {Picked} picked */
  #confirm(picked) {
    const { row } = picked, to = picked.to + (row.box.textContent ?? "").length - picked.text.length;
    this.picked = null;
    this.commit(row);
    this.view.settle(row);
    this.view.select(row, Math.max(picked.from, to));
  }

  /** One with the paragraph before. @param {Row} row */
  join(row) {
    const before = this.view.rows[row.index - 1];
    if (!before) return;
    this.commit(before);
    this.commit(row);
    this.picked = null;
    const at = textOf(before.paragraph).length, next = (textOf(row.paragraph)[0] ?? "");
    this.history.act({ do: "join", paragraph: row.paragraph.id }, [before.paragraph, row.paragraph]);
    this.view.settle(before);
    const text = before.box.textContent ?? "";
    this.view.select(before, text[at] === " " && next !== " " ? at + 1 : at);
    keepInSight(before.section);
  }

  /** @param {Row} row */
  joinNext(row) {
    const next = this.view.rows[row.index + 1], at = tidy(row.box.textContent ?? "").length;
    if (!next) return;
    this.join(next);
    this.view.select(row, at);
  }

  // Keys.

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = this.view.rowOf(/** @type {Node} */ (event.target));
    if (!row || event.target !== row.box || event.isComposing || event.keyCode === 229) return;
    const caret = this.view.caret(row), plain = caret !== null && caret.from === caret.to;
    const length = (row.box.textContent ?? "").length, command = event.ctrlKey || event.metaKey;
    const rtl = row.paragraph.direction === "rtl", { key } = event;
    const back = key === (rtl ? "ArrowRight" : "ArrowLeft"), ahead = key === (rtl ? "ArrowLeft" : "ArrowRight");
    if (key !== "ArrowUp" && key !== "ArrowDown") this.column = null;
    let done = true;
    if (key === "Tab" && !event.shiftKey && !command && !event.altKey) {
      if (this.loose) return;
      if (!this.player.playing) this.player.follow(true);
      this.player.toggle();
    } else if (key === "Escape") this.#escape(row);
    else if (key === "Enter" && command) { this.commit(row); this.asked.name(row); }
    else if (key === "Backspace" && plain && caret.from === 0) this.join(row);
    else if (key === "Delete" && plain && caret.from === length) this.joinNext(row);
    else if (event.ctrlKey && !event.shiftKey && !event.altKey && (back || ahead)) this.#sentence(row, caret?.from ?? 0, back ? -1 : 1);
    else if (command && (key === "Home" || key === "End") && !event.shiftKey) this.#into(key === "Home" ? 0 : this.view.rows.length - 1, key === "Home" ? 0 : Infinity);
    else if (event.shiftKey || command || event.altKey || !plain) done = false;
    else if (back && caret.from === 0) this.#into(row.index - 1, Infinity);
    else if (ahead && caret.from === length) this.#into(row.index + 1, 0);
    else if (key === "ArrowUp" || key === "ArrowDown") done = this.#vertical(row, key === "ArrowUp" ? -1 : 1);
    else done = false;
    if (done) { event.preventDefault(); event.stopPropagation(); }
    if (/^(Arrow|Home|End|Page)/.test(key)) { this.loose = false; requestAnimationFrame(() => this.#moved()); }
  }

  /** The caret was moved by a key. */
  #moved() {
    const row = this.row, caret = row && this.view.caret(row);
    if (!row || !caret) return;
    if (this.picked && (this.picked.row !== row || caret.from === caret.to)) this.picked = null;
    const word = this.view.word(row, caret.from);
    if (word) this.#follow(row, word.index);
  }

  /** @param {Row} row */
  #escape(row) {
    const picked = this.picked?.row === row ? this.picked : null;
    this.picked = null;
    if (picked && this.#changed(picked)) {
      this.view.write(row, picked.text);
      this.view.select(row, picked.to);
      this.typed(row);
      this.commit(row);
    } else if (!this.asked.leave(row)) {
      this.commit(row);
      this.view.select(row, this.view.caret(row)?.from ?? 0);
      this.loose = true;
      toast(t("editor.tab_leaves"));
    }
  }

  /** @param {number} index @param {number} offset @returns {boolean} */
  #into(index, offset) {
    const row = this.view.rows[index];
    if (!row) return true;
    keepInSight(row.section);
    this.view.select(row, Math.min(offset, (row.box.textContent ?? "").length));
    return true;
  }

  /** The paragraph above or below, from the first or last line of this one. @param {Row} row @param {number} by */
  #vertical(row, by) {
    const beside = this.view.rows[row.index + by], caret = caretBox();
    if (!caret) return false;
    const lines = lineBoxes(row), last = by < 0 ? lines[0] : lines.at(-1);
    if (last && (by < 0 ? caret.top - last.top : last.bottom - caret.bottom) > caret.height * 0.6) return false;
    if (!beside) return true;
    this.column ??= caret.left;
    keepInSight(beside.section);
    const there = lineBoxes(beside), line = by < 0 ? there.at(-1) : there[0];
    const at = line && offsetAt({ clientX: this.column, clientY: (line.top + line.bottom) / 2 }, beside);
    this.view.select(beside, at ?? (by < 0 && line && this.column > line.right ? Infinity : line && this.column > line.right ? endOfLine(beside, line) : 0));
    return true;
  }

  /** @param {Row} row @param {number} from @param {number} by */
  #sentence(row, from, by) {
    const { view } = this, starts = sentences(view.laid(row).text, row.paragraph.language);
    let to = by > 0 ? starts.find((start) => start > from) : starts.findLast((start) => start < from), there = row;
    if (to === undefined) {
      const beside = view.rows[row.index + by];
      if (!beside) return;
      there = beside;
      to = by > 0 ? 0 : sentences(view.laid(beside).text, beside.paragraph.language).at(-1) ?? 0;
    }
    this.picked = null;
    keepInSight(there.section);
    view.select(there, to);
    const word = view.word(there, to + 1);
    if (word) this.#follow(there, word.index, true);
  }
}

/** @param {Element} element */
const keepInSight = (element) => element.scrollIntoView({ block: "nearest" });

/** The place in a row's text at a point of the window. @param {{clientX: number, clientY: number}} point @param {Row} row */
function offsetAt({ clientX, clientY }, row) {
  /** @type {any} */
  const page = document;
  const position = page.caretPositionFromPoint?.(clientX, clientY), range = position ? null : page.caretRangeFromPoint?.(clientX, clientY);
  const node = position?.offsetNode ?? range?.startContainer;
  return node && node === row.box.firstChild ? /** @type {number} */ (position?.offset ?? range.startOffset) : null;
}

/** Where the caret is drawn. */
function caretBox() {
  const selection = getSelection();
  if (!selection?.rangeCount) return null;
  const range = selection.getRangeAt(0), [box] = range.getClientRects();
  return box ?? (range.startContainer instanceof Element ? range.startContainer : range.startContainer.parentElement)?.getBoundingClientRect() ?? null;
}

/** The lines of a row as they are drawn. @param {Row} row */
function lineBoxes(row) {
  const range = document.createRange();
  range.selectNodeContents(row.box);
  return [...range.getClientRects()];
}

/** The place in the text at the end of a drawn line. @param {Row} row @param {DOMRect} line */
const endOfLine = (row, line) => offsetAt({ clientX: line.right - 1, clientY: (line.top + line.bottom) / 2 }, row) ?? Infinity;
