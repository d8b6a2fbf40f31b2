// The transcript as this page knows it: what the server told last, and over it the edits that it hasn't acknowledged.

import { joined, letters, occurrence, part, textOf, tidy, withText, wordAfter } from "./text.js";

/** @typedef {import("./types.js").Paragraph} Paragraph */
/** @typedef {import("./types.js").Speaker} Speaker */
/** @typedef {import("./types.js").Chapter} Chapter */
/** @typedef {import("./types.js").Chapters} Chapters */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Patch} Patch */
/** @typedef {import("./types.js").Edit} Edit */
/** @typedef {import("./types.js").Action} Action */
/** @typedef {{key: string, paragraph: Paragraph}} Keyed */
/** @typedef {{paragraphs: Paragraph[], speakers: Speaker[], chapters: Chapters}} State */

const COLOURS = 8;
export const SAME_MOMENT = 60; // ms by which the first word of a paragraph may move and it still be taken for the same one

/** Paragraphs, speakers, chapters and revision; `local` is what there is to see. Keys of paragraphs stay when ids change. */
export class Model {
  /** @param {Page} page */
  constructor(page) {
    this.revision = page.revision;
    this.doubts = page.doubts;
    /** @type {State} */
    this.server = { paragraphs: page.paragraphs, speakers: page.speakers, chapters: page.chapters };
    /** @type {State} */
    this.local = this.server;
    /** @type {Edit[]} */
    this.pending = [];
    /** @type {Map<string, string>} */
    this.keys = new Map();
    /** @type {Map<string, string>} what left-over edits made, by the server's names */
    this.known = new Map();
    /** @type {Map<string, string>} the server's labels of speakers that edits here added */
    this.labels = new Map();
  }

  /** What there is to see, with the keys that tell what stayed. @returns {Keyed[]} */
  get rows() {
    const taken = new Set();
    return this.local.paragraphs.map((paragraph) => {
      let key = this.key(paragraph.id);
      while (taken.has(key)) key += "'";
      taken.add(key);
      return { key, paragraph };
    });
  }

  /** @param {string} id */
  key(id) {
    return this.keys.get(id) ?? id;
  }

  /** @param {string | null} label */
  name(label) {
    return label === null ? "" : this.local.speakers.find((one) => one.label === label)?.name ?? label;
  }

  /** @param {string | null} label */
  colour(label) {
    return this.local.speakers.find((one) => one.label === label)?.colour ?? null;
  }

  /** Show an edit at once. @param {Edit} edit */
  add(edit) {
    const { do: action } = edit, name = action.do === "speaker" ? action.name : undefined;
    if (name && !this.local.speakers.some((one) => one.name === name)) this.labels.delete(fresh(name)); // somebody else of a name that was there
    this.pending.push(edit);
    if (edit.do.do === "undo") this.#again();
    else this.local = this.#done(this.local, edit);
  }

  /** Take up an edit that was left over; the server may have done it without our having heard so. @param {Edit} edit */
  recall(edit) {
    const { do: action } = edit, there = this.server.paragraphs;
    if ("paragraph" in action && !there.some((one) => one.id === action.paragraph)) {
      for (const mine of results(edit)) {
        const real = there.find((one) => Math.abs((one.starts[0] ?? 0) - (mine.starts[0] ?? 0)) <= SAME_MOMENT && textOf(one) === textOf(mine));
        if (real) this.known.set(mine.id, real.id);
      }
    }
    this.add(edit);
  }

  /** Take edits away that will not be done. @param {(edit: Edit) => boolean} chosen */
  drop(chosen) {
    this.pending = this.pending.filter((edit) => !chosen(edit));
    this.#again();
  }

  /** Begin anew from what the server has now. @param {Page} page */
  reset(page) {
    this.#inherit(this.server.paragraphs, page.paragraphs);
    this.server = { paragraphs: page.paragraphs, speakers: page.speakers, chapters: page.chapters };
    this.revision = page.revision;
    this.doubts = page.doubts;
    this.#again();
  }

  /**
   * Follow the server by one revision. Own edits among the pending ones are acknowledged by it.
   * @param {Patch} patch
   */
  apply(patch) {
    this.acknowledge(patch);
    const paragraphs = [...this.server.paragraphs];
    for (const splice of patch.splices) {
      const gone = paragraphs.splice(splice.at, splice.removed, ...splice.paragraphs);
      this.#inherit(gone, splice.paragraphs);
    }
    this.server = { paragraphs, speakers: patch.speakers ?? this.server.speakers, chapters: patch.chapters ?? this.server.chapters };
    this.revision = patch.to;
    this.doubts = patch.doubts ?? this.doubts;
    this.#again();
  }

  /**
   * The edit that a patch answers is no longer pending; later ones about what it made get the server's names for it.
   * @param {Patch} patch
   * @returns {Edit | undefined}
   */
  acknowledge(patch) {
    const edit = this.pending.find((one) => one.op === patch.op);
    if (!edit) return undefined;
    this.pending = this.pending.filter((one) => one !== edit);
    const made = results(edit), found = patch.splices.flatMap((splice) => splice.paragraphs);
    const gone = patch.splices.reduce((sum, splice) => sum + splice.removed, 0), alone = gone === edit.base.length && found.length === made.length;
    /** @type {Map<string, [Paragraph, Paragraph]>} */
    const named = new Map();
    for (const [number, mine] of made.entries()) {
      const begins = mine.starts[0] ?? 0, as = edit.base[number] ?? mine; // where nothing was changed
      const away = (/** @type {Paragraph} */ one) => Math.abs((one.starts[0] ?? 0) - begins);
      const nearest = () => found.reduce((best, one) => (away(one) < away(best) ? one : best), found[Math.min(number, found.length - 1)] ?? as);
      const real = (alone ? found[number] : undefined) ?? nearest();
      named.set(mine.id, [alone ? real : mine, real]);
      if (textOf(real) === textOf(mine)) this.keys.set(real.id, this.key(mine.id));
    }
    const { do: action } = edit, [first] = named.values();
    if (action.do === "speaker" && action.name && first?.[1].speaker) this.labels.set(fresh(action.name), first[1].speaker);
    for (const later of this.pending) {
      later.do = this.#labelled(later.do);
      const [mine, real] = ("paragraph" in later.do && named.get(later.do.paragraph)) || [];
      if (mine && real) later.do = about(later.do, mine, real);
    }
    return edit;
  }

  /** The pending edits that build on one, and itself. @param {Edit} edit @returns {Edit[]} */
  dependents(edit) {
    const found = [edit];
    for (const later of this.pending.slice(this.pending.indexOf(edit) + 1)) {
      const about = "paragraph" in later.do ? later.do.paragraph : "", who = "speaker" in later.do ? later.do.speaker : undefined;
      const builds = (/** @type {Edit} */ one) => about.startsWith(`${one.op}/`)
        || (one.do.do === "speaker" && one.do.name !== undefined && fresh(one.do.name) === who);
      if (found.some(builds)) found.push(later);
    }
    return found;
  }

  /**
   * An action as the server takes it; null where it is about a paragraph that isn't there (any more).
   * @param {Edit} edit
   * @returns {Record<string, any> | null}
   */
  wire(edit) {
    const action = this.#labelled(edit.do);
    if (action.do === "confirm") return { do: "confirm", item: action.item };
    if (!("paragraph" in action)) return { ...action };
    const there = this.server.paragraphs.find((one) => one.id === action.paragraph);
    if (action.do !== "split") return action.paragraph.includes("/") && !there ? null : { ...action };
    return there ? { do: "split", paragraph: action.paragraph, word: wordAfter(there, action.letters) } : null;
  }

  /** An action with the server's labels. @param {Action} action @returns {Action} */
  #labelled(action) {
    const real = "speaker" in action && action.speaker ? this.labels.get(action.speaker) : undefined;
    return real ? /** @type {Action} */ ({ ...action, speaker: real }) : action;
  }

  #again() {
    const undone = new Set(this.pending.map((edit) => (edit.do.do === "undo" ? edit.do.edit : "")));
    const edits = this.pending.filter((edit) => !undone.has(edit.op));
    this.local = edits.reduce((state, edit) => this.#done(state, edit), this.server);
  }

  /** @param {State} state @param {Edit} edit @returns {State} */
  #done(state, edit) {
    const action = this.#labelled(edit.do);
    if (action.do === "rename") {
      const speakers = state.speakers.map((one) => (one.label === action.speaker ? { ...one, name: action.name } : one));
      return { ...state, speakers };
    }
    if (action.do === "chapter" || action.do === "keep_chapters") return { ...state, chapters: rewritten(state.chapters, action) };
    if (!("paragraph" in action)) return state;
    const id = this.known.get(action.paragraph) ?? action.paragraph;
    const at = state.paragraphs.findIndex((one) => one.id === id), there = state.paragraphs[at];
    if (!there) return state;
    const before = action.do === "join" ? state.paragraphs[at - 1] : undefined;
    if (action.do === "join" && !before) return state;
    const gone = before ? [before, there] : [there];
    const made = changed(edit, gone);
    if (made.length && made[0]) this.keys.set(made[0].id, this.key((before ?? there).id));
    const paragraphs = [...state.paragraphs];
    paragraphs.splice(before ? at - 1 : at, gone.length, ...made);
    const known = action.do !== "speaker" || !action.name ? undefined : state.speakers.find((one) => one.name === action.name);
    if (known) paragraphs[at] = { .../** @type {Paragraph} */ (paragraphs[at]), speaker: known.label };
    if (known || action.do !== "speaker" || !action.name) return { ...state, paragraphs };
    const taken = new Set(state.speakers.map((one) => one.colour));
    const colour = [...Array(COLOURS).keys()].find((one) => !taken.has(one)) ?? state.speakers.length % COLOURS;
    return { ...state, paragraphs, speakers: [...state.speakers, { label: fresh(action.name), name: action.name, colour }] };
  }

  /** What replaces paragraphs one by one, or begins where they began, takes their keys. @param {Paragraph[]} gone @param {Paragraph[]} come */
  #inherit(gone, come) {
    const there = new Set(come.map((one) => one.id)), was = new Set(gone.map((one) => one.id));
    const left = gone.filter((one) => !there.has(one.id)), fresh = come.filter((one) => !was.has(one.id));
    const alike = left.length === fresh.length;
    let next = 0;
    for (const [number, one] of fresh.entries()) {
      if (this.keys.has(one.id)) continue;
      if (!alike) while (next < left.length && (left[next]?.starts[0] ?? 0) < (one.starts[0] ?? 0) - SAME_MOMENT) next += 1;
      const old = alike ? left[number] : left[next];
      if (old && (alike || Math.abs((old.starts[0] ?? 0) - (one.starts[0] ?? 0)) <= SAME_MOMENT)) this.keys.set(one.id, this.key(old.id));
    }
  }
}

/** A title as the server keeps it. @param {string} title */
export const named = (title) => title.replace(/\s+/g, " ").trim();

/** When a chapter begins, in ms. @param {{start: number}} chapter */
export const begins = ({ start }) => Math.round(start * 1000);

/** @param {{start: number, title: string}} one @param {{start: number, title: string}} other */
export const same = (one, other) => begins(one) === begins(other) && one.title === other.title;

/** What an edit makes of the chapters; a list that it was not made for stays. @param {Chapters} chapters @param {Action} action @returns {Chapters} */
function rewritten(chapters, action) {
  const told = chapters.source === "user" || !chapters.list.length ? chapters.told : chapters.source, own = { source: "user", told, made_for: chapters.made_for };
  if (action.do === "keep_chapters") return { ...own, made_for: null, list: chapters.list.map((one) => ({ ...one, by: "" })) };
  if (action.do !== "chapter") return chapters;
  const { was, now } = action, old = was && chapters.list.find((one) => same(one, was));
  if ((was && !old) || (now && chapters.list.some((one) => one !== old && begins(one) === begins(now)))) return chapters;
  const list = chapters.list.filter((one) => one !== old);
  if (now) list.push({ ...now, by: old?.title === now.title ? old.by : "" });
  return { ...own, list: list.sort((one, other) => one.start - other.start) };
}

/** The label of a speaker whom the server doesn't know yet. @param {string} name */
const fresh = (name) => `?${name}`;

/**
 * An action for what the server made of a paragraph, which may be a longer one with those beside it. Left as it is, for
 * the user to decide, where that doesn't hold the words any more.
 * @param {Action} action @param {Paragraph} mine @param {Paragraph} real
 * @returns {Action}
 */
function about(action, mine, real) {
  const text = textOf(mine), all = textOf(real), at = occurrence(mine, real);
  if (!("paragraph" in action) || at < 0) return action;
  if (text === all || (action.do === "join" && at === 0)) return { ...action, paragraph: real.id };
  if (action.do === "text") return { ...action, paragraph: real.id, text: tidy(`${all.slice(0, at)}${action.text}${all.slice(at + text.length)}`) };
  if (action.do === "split") return { ...action, paragraph: real.id, letters: action.letters + letters(all.slice(0, at)) };
  return action;
}

/** What an edit makes of the paragraphs that it was meant for. @param {Edit} edit */
export const results = (edit) => changed(edit, edit.base);

/** What several edits that build on each other were meant for. @param {Edit[]} edits */
export function origins(edits) {
  const ops = new Set(edits.map((edit) => edit.op)), found = new Map();
  for (const one of edits.flatMap((edit) => edit.base)) if (!ops.has(one.id.split("/")[0] ?? "")) found.set(one.id, one);
  return [...found.values()].sort((one, other) => (one.starts[0] ?? 0) - (other.starts[0] ?? 0));
}

/** What they make of it: the texts of the paragraphs. @param {Edit[]} edits */
export function outcome(edits) {
  let state = origins(edits);
  for (const edit of edits) {
    const ids = new Set(edit.base.map((one) => one.id)), at = state.findIndex((one) => ids.has(one.id));
    const there = edit.base.map((one) => state.find((other) => other.id === one.id) ?? one);
    const made = results({ ...edit, base: there });
    state = state.filter((one) => !ids.has(one.id));
    state.splice(at < 0 ? state.length : at, 0, ...made);
  }
  return state.map(textOf).filter(Boolean);
}

/** @param {Edit} edit @param {Paragraph[]} gone @returns {Paragraph[]} */
function changed({ op, do: action }, gone) {
  const [first, second] = gone, id = `${op}/0`;
  if (!first) return [];
  switch (action.do) {
    case "text": return action.text ? [withText(first, action.text, id)] : [];
    case "split": {
      const word = wordAfter(first, action.letters);
      return [part(first, 0, word, id), part(first, word, first.words.length, `${op}/1`)];
    }
    case "join": return second ? [joined(first, second, id)] : [first];
    case "speaker": return [{ ...first, id, unsure: false, speaker: action.speaker ?? fresh(action.name ?? "") }];
    case "confirm": return [action.kind === "word"
      ? { ...first, doubt: first.doubt.filter((index) => index < action.from || index > action.to) }
      : { ...first, unsure: false }];
    default: return gone;
  }
}
