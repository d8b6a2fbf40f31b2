// Edits on their way to the server, and what comes back from it: own edits acknowledged, those of others.
// An edit lies in the browser's storage, under a key of its own and never changed by another tab, until the server has
// acknowledged it. Sent twice, by two tabs or after a lost answer, it is done once: the server knows it by its `op`.

import { api, events, frame, Problem, unique } from "../frame.js";
import { origins, outcome } from "./model.js";
import { merged, textOf } from "./text.js";

/** @typedef {import("./types.js").Edit} Edit */
/** @typedef {import("./types.js").Action} Action */
/** @typedef {import("./types.js").Patch} Patch */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Paragraph} Paragraph */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {"saved" | "saving" | "kept" | "signed-out" | "forbidden" | "gone"} State */
/**
 * Words of one's own that can't be put in place: what another wrote there meanwhile, or why the server won't take them.
 * @typedef {{op: string, by: string, detail: string, mine: string, base: Paragraph[], theirs: Paragraph[]}} Conflict
 */
/**
 * @typedef {{
 *   changed: (patch: Patch | null) => void, state: (state: State) => void, conflict: (conflict: Conflict) => void,
 *   refused: (detail: string) => void, dropped: (edits: Edit[]) => void, present: (users: string[]) => void, undoable: (list: {op: string}[]) => void,
 * }} Listener
 */

const FIRST_WAIT = 1000, LONGEST_WAIT = 30_000; // ms between attempts while the server is away
const GAP = 400; // ms that a patch may come before those that it builds on
const REFUSALS = new Set([400, 409, 413, 422]); // what no later attempt would change
/** @type {Record<number, State>} */
const WAITS_FOR = { 401: "signed-out", 403: "forbidden", 404: "gone" }; // somebody to do something; else for the server

export class Sync {
  /** @param {string} episode @param {Model} model @param {Listener} listener */
  constructor(episode, model, listener) {
    this.episode = episode;
    this.model = model;
    this.listener = listener;
    this.prefix = `episcribe-edit ${frame.caller.name} ${episode} `;
    this.count = 0;
    /** @type {Set<string>} edits that the browser's storage has no room for */
    this.loose = new Set();
    this.running = this.catching = false;
    this.wait = FIRST_WAIT;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Map<string, string>} */
    this.places = new Map();
    /** @type {Map<string, Patch>} */
    this.early = new Map();
    /** @type {Set<string>} */
    this.done = new Set();
    /** @type {(() => void) | null} ends the listening */
    this.deaf = null;
    addEventListener("online", () => this.#soon(0));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#mute();
      else { this.#listen(); this.refresh(); this.#soon(0); }
    });
  }

  /** Take up what was left over, and listen. */
  start() {
    for (const edit of this.#kept()) this.model.recall(edit);
    if (this.model.pending.length) this.listener.changed(null);
    this.#tell();
    this.#soon(0);
    if (!document.hidden) this.#listen();
  }

  /**
   * Do something now, and on the server as soon as may be.
   * @param {Action} action @param {Paragraph[]} [base] the paragraphs that it is about
   * @param {string} [op]
   * @returns {Edit}
   */
  send(action, base = [], op = unique()) {
    /** @type {Edit} */
    const edit = { op, do: action, base };
    this.#store(edit);
    this.model.add(edit);
    this.listener.changed(null);
    this.#soon(0);
    return edit;
  }

  /** Take an edit back that was never sent; whether it could be. @param {string} op */
  withdraw(op) {
    const edit = this.model.pending.find((one) => one.op === op);
    if (!edit || edit.wire || this.model.dependents(edit).length > 1) return false;
    this.#forget(op);
    this.model.drop((one) => one === edit);
    this.listener.changed(null);
    this.#tell();
    return true;
  }

  /** Whether edits would be lost with the page. */
  get unsafe() {
    return this.model.pending.some((edit) => this.loose.has(edit.op));
  }

  /** Try at once. */
  flush() {
    this.wait = FIRST_WAIT;
    this.#soon(0);
  }

  /** Ask the server for everything, where there is something new; again and again while it is away. */
  async refresh() {
    if (this.catching) return;
    this.catching = true;
    try {
      await this.#renew();
      this.listener.changed(null);
      this.#soon(0);
    } catch {
      setTimeout(() => this.refresh(), this.wait);
    } finally {
      this.catching = false;
      this.#tell();
    }
  }

  /** Be where the server is. What it has answered that didn't fit before is in there. Throws a Problem. */
  async #renew() {
    /** @type {Page} */
    let page;
    let seen;
    do { // until none came in between
      seen = this.model.revision;
      page = await api("GET", `/episodes/${this.episode}`);
    } while (seen !== this.model.revision);
    if (page.revision === seen && !this.early.size) return;
    for (const patch of this.early.values()) {
      const own = this.model.acknowledge(patch);
      if (own) this.#acknowledged(own);
    }
    this.early.clear();
    this.model.reset(page);
    this.listener.undoable(page.undo);
  }

  // Sending, one after the other.

  /** @param {number} delay */
  #soon(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#run(), delay);
  }

  async #run() {
    if (this.running) return;
    this.running = true;
    try {
      for (let edit = this.#next(); edit; edit = this.#next()) {
        if (!(await this.#try(edit))) return;
      }
    } finally {
      this.running = false;
      this.#tell();
    }
  }

  /** The first one; none while it is still to be told what an answered one made. */
  #next() {
    const [first] = this.model.pending;
    return first && !this.done.has(first.op) ? first : undefined;
  }

  /** @param {Edit} edit @returns {Promise<boolean>} whether to go on */
  async #try(edit) {
    const slow = setTimeout(() => this.listener.state("saving"), 300);
    try {
      if (!edit.wire && !this.model.wire(edit)) await this.#renew();
      edit.wire ??= this.model.wire(edit) ?? undefined;
      if (!edit.wire) { this.#refuse(edit, new Problem(409, {})); return true; }
      this.#store(edit);
      /** @type {Patch} */
      const patch = await api("POST", `/episodes/${this.episode}/edits`, { op: edit.op, do: edit.wire });
      this.wait = FIRST_WAIT;
      this.#answered(edit, patch);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!REFUSALS.has(error.status)) {
        this.listener.state(WAITS_FOR[error.status] ?? "kept");
        this.#soon(this.wait * (0.75 + Math.random() / 2));
        this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
        return false;
      }
      return this.#renew().then(() => { this.#refuse(edit, error); return true; }, () => { this.#soon(this.wait); return false; });
    } finally {
      clearTimeout(slow);
    }
  }

  /** @param {Edit} edit @param {Patch} patch */
  #answered(edit, patch) {
    if (patch.undo) this.listener.undoable(patch.undo);
    if (this.model.pending.includes(edit)) this.#take(patch); // else its event came before the answer
  }

  /** The server won't do it: put the words together with what is there now, or let the user choose. @param {Edit} edit @param {Problem} problem */
  #refuse(edit, problem) {
    const all = this.model.dependents(edit), base = origins(all), mine = outcome(all).join(" "), was = base.map(textOf).join(" ");
    const theirs = base.length ? overlapping(this.model.server.paragraphs, base) : [], [only] = theirs;
    for (const one of all) this.#forget(one.op);
    this.model.drop((one) => all.includes(one));
    this.listener.dropped(all);
    const gone = problem.status === 409, detail = gone ? "" : problem.message;
    const both = gone && only && theirs.length === 1 && all.every((one) => one.do.do === "text") ? merged(was, mine, textOf(only)) : null;
    if (mine === was) this.listener.refused(detail);
    else if (only && both !== null) this.send({ do: "text", paragraph: only.id, text: both }, [only]);
    else this.listener.conflict({ op: edit.op, by: problem.told.by ?? "", detail, mine, base, theirs });
    this.listener.changed(null);
  }

  // What comes from the server.

  #listen() {
    let lost = false;
    this.deaf ??= events(`/episodes/${this.episode}/events`, {
      hello: ({ revision }) => { if (revision !== this.model.revision) this.refresh(); },
      patch: (patch) => this.#take(patch), reload: () => this.refresh(), present: (told) => this.listener.present(told.users),
    }, (connected) => {
      if (connected && lost) { this.refresh(); this.flush(); }
      lost = !connected;
    });
  }

  #mute() { // browsers allow few connections to a server: a tab in the back takes none
    this.deaf?.();
    this.deaf = null;
  }

  /** @param {Patch} patch */
  #take(patch) {
    const own = this.model.pending.find((edit) => edit.op === patch.op);
    if (patch.from !== this.model.revision) {
      if (!own && (patch.to === this.model.revision || this.done.has(patch.op))) return;
      if (own) this.done.add(patch.op);
      this.early.set(patch.from, patch);
      setTimeout(() => { if (this.early.get(patch.from) === patch) this.refresh(); }, GAP);
      return;
    }
    this.early.delete(patch.from);
    this.model.apply(patch);
    if (own) this.#acknowledged(own);
    this.done.add(patch.op);
    this.listener.changed(patch);
    const next = this.early.get(this.model.revision);
    if (next) this.#take(next);
    this.#tell();
  }

  /** @param {Edit} edit */
  #acknowledged(edit) {
    for (const later of this.model.pending) if (this.places.has(later.op)) this.#store(later); // may have got new names
    this.#forget(edit.op);
  }

  // Keeping.

  #tell() {
    if (!this.model.pending.length) this.listener.state("saved");
  }

  /** @param {Edit} edit */
  #store(edit) {
    const place = this.places.get(edit.op) ?? `${this.prefix}${String(Date.now()).padStart(15, "0")}-${String((this.count += 1)).padStart(6, "0")} ${edit.op}`;
    this.places.set(edit.op, place);
    try {
      localStorage.setItem(place, JSON.stringify(edit));
      this.loose.delete(edit.op);
    } catch { this.loose.add(edit.op); } // no storage, or a full one: it is kept as long as the page is open
  }

  /** @param {string} op */
  #forget(op) {
    const place = this.places.get(op);
    this.places.delete(op);
    this.loose.delete(op);
    try { if (place) localStorage.removeItem(place); } catch { /* no storage */ }
    for (const other of this.model.pending) if (other.op !== op && this.loose.has(other.op)) this.#store(other); // there is room again
  }

  /** @returns {Edit[]} */
  #kept() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix)).sort().flatMap((key) => {
        try {
          /** @type {Edit} */
          const edit = JSON.parse(localStorage.getItem(key) ?? "");
          this.places.set(edit.op, key);
          return [edit];
        } catch { return []; }
      });
    } catch { return []; }
  }
}

/** Those said while others were. @param {Paragraph[]} there @param {Paragraph[]} base */
function overlapping(there, base) {
  const from = Math.min(...base.map((one) => one.starts[0] ?? 0)), to = Math.max(...base.map((one) => one.ends.at(-1) ?? 0));
  return there.filter((one) => {
    const start = one.starts[0] ?? 0, end = one.ends.at(-1) ?? start;
    return Math.min(end, to) - Math.max(start, from) > Math.min(end - start, to - from) / 2 || (start === from && end === to);
  });
}

