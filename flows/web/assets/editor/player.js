// Plays the audio, marks the word that is said, draws who speaks when.

import { announce, byId, cancelIdle, clock, element, idle, percent, storage, t } from "../frame.js";
import { Marks } from "./highlights.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./types.js").Page} Page */

const WIDTH = 1000, LANE = 9, GAP = 5; // units of the drawing of who speaks when
const BRIDGED = 1000; // ms; a shorter silence between words of one speaker is not drawn
const RESTART = 3; // seconds into a chapter from which on going back goes to its beginning
const SVG = "http://www.w3.org/2000/svg";

export class Player {
  /** @param {View} view @param {Page} page @param {string} address of the audio */
  constructor(view, page, address) {
    this.view = view;
    this.total = page.seconds;
    this.now = new Marks("now");
    /** @type {HTMLAudioElement} */
    this.audio = byId("audio");
    /** @type {HTMLInputElement} */
    this.seek = byId("seek");
    /** @type {HTMLSelectElement} */
    this.speed = byId("speed");
    /** @type {number | null} seconds to begin at, once the audio is there */
    this.wanted = null;
    /** @type {[number, number] | null} */
    this.looped = null;
    this.following = true;
    /** @type {Row | null} */
    this.row = null;
    this.told = "";
    this.drawn = 0;
    this.picked = ""; // the address of a file that the user chose
    /** @type {import("./types.js").Chapter[]} */
    this.chapters = [];
    this.chapter = -1; // the index of the one that is heard
    /** @type {(index: number) => void} told of it */
    this.chaptered = () => {};
    if (page.audio) this.audio.src = address;
    else this.#missing(t("editor.no_audio"));
    this.#connect();
    const rate = Number(storage.get("speed")) || 1;
    if ([...this.speed.options].some((option) => Number(option.value) === rate)) this.rate(rate);
    if (!page.title || !("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = new MediaMetadata({ title: page.title, artist: page.show });
    navigator.mediaSession.setActionHandler("seekbackward", () => this.step(-10));
    navigator.mediaSession.setActionHandler("seekforward", () => this.step(10));
  }

  get playing() {
    return !this.audio.paused;
  }

  /** Seconds. */
  get position() {
    return this.wanted ?? this.audio.currentTime;
  }

  /** @param {number} seconds @param {boolean} [play] */
  jump(seconds, play = false) {
    this.looped = null;
    this.follow(true);
    this.#go(seconds);
    if (play) this.start();
  }

  /** @param {number} seconds */
  step(seconds) {
    this.jump(this.position + seconds);
  }

  /** Go there without bringing it into sight: the caret is there. @param {number} seconds */
  cue(seconds) {
    const { following } = this;
    this.looped = null;
    this.following = false;
    this.#go(seconds);
    this.following = following;
  }

  /** Play a stretch again and again. @param {number} from @param {number} to seconds */
  loop(from, to) {
    this.cue(Math.max(0, from));
    this.looped = [Math.max(0, from), Math.min(to, this.total || to)];
    this.start();
  }

  start() {
    this.audio.play().catch((error) => { if (error.name === "NotSupportedError") this.#missing(t("editor.audio_missing")); });
  }

  pause() {
    this.audio.pause();
  }

  toggle() {
    if (this.audio.paused) this.start(); else this.audio.pause();
  }

  /** @param {boolean} on */
  follow(on) {
    this.following = on;
    byId("follow").setAttribute("aria-pressed", String(on));
  }

  /** @param {number} rate */
  rate(rate) {
    this.speed.value = String(rate);
    this.audio.defaultPlaybackRate = this.audio.playbackRate = rate;
    this.audio.preservesPitch = true;
    storage.set("speed", String(rate));
  }

  /** @param {number} by steps of the list of speeds */
  faster(by) {
    const option = this.speed.options[this.speed.selectedIndex + by];
    if (option) { this.rate(Number(option.value)); toast(t("editor.speed_is", { speed: option.text })); }
  }

  /** @param {number} by */
  stepWord(by) {
    const at = this.view.at(this.position * 1000), row = at?.row ?? this.view.rows[0];
    if (!row) return;
    const word = at ? at.word + by : 0, { starts } = this.view.laid(row).shown;
    const beside = this.view.rows[row.index + (word < 0 ? -1 : 1)];
    const to = starts[word] ?? (word < 0 ? beside?.paragraph.starts.at(-1) : beside?.paragraph.starts[0]);
    if (to !== undefined) this.jump(to / 1000 + 0.001);
  }

  /** @param {number} by */
  stepParagraph(by) {
    const { rows } = this.view, at = this.view.at(this.position * 1000)?.row.index ?? 0;
    const to = rows[Math.min(Math.max(0, at + by), rows.length - 1)];
    if (to) this.jump((to.paragraph.starts[0] ?? 0) / 1000 + 0.001);
  }

  /** @param {number} by */
  stepChapter(by) {
    const { position } = this, starts = this.chapters.map((one) => one.start);
    const to = by > 0 ? starts.find((start) => start > position + 0.0005) : starts.findLast((start) => start < position - RESTART) ?? starts[0];
    if (to !== undefined) this.jump(to);
  }

  share() {
    const hash = `#t=${Math.round(this.position * 10) / 10}`;
    history.replaceState(null, "", hash);
    const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
    copied.then(() => toast(t("editor.link_copied")), () => toast(t("editor.link_in_address")));
  }

  /** The words changed: mark the right one again, draw anew when there is time. */
  refresh() {
    this.#show(this.position, false);
    cancelIdle(this.drawn);
    this.drawn = idle(() => this.#draw());
  }

  // Where we are.

  /** @param {number} seconds */
  #go(seconds) {
    const to = Math.min(Math.max(0, seconds), this.total || seconds);
    if (this.audio.readyState > 0) { this.wanted = null; this.audio.currentTime = to; } else this.wanted = to;
    this.#show(to);
  }

  /** @param {number} seconds @param {boolean} [reveal] */
  #show(seconds, reveal = true) {
    const at = this.view.at(seconds * 1000), row = at?.row ?? null, second = Math.floor(seconds);
    const name = row ? this.view.model.name(row.paragraph.speaker) : "", told = `${second} ${row?.key} ${at?.word} ${row?.laid?.text.length}`;
    this.#enter(this.#chapterAt(seconds));
    this.seek.value = String(seconds);
    if (told === this.told) return;
    this.told = told;
    if (this.row && this.row !== row) { this.now.set(this.row, null, []); this.row.section.classList.remove("now"); }
    this.row = row;
    if (row && at) {
      this.now.set(row, row.box.firstChild, [this.view.laid(row).spans[at.word]]);
      row.section.classList.add("now");
      if (reveal && this.following && (this.playing || this.wanted !== null || seconds > 0)) this.view.reveal(row, at.word);
    }
    byId("now").textContent = clock(seconds);
    byId("speaking").textContent = name;
    const colour = row ? this.view.model.colour(row.paragraph.speaker) : null;
    byId("speaking").className = `speaking${colour === null ? "" : ` s${colour}`}`;
    const chapter = this.chapters[this.chapter]?.title, about = [t("editor.position_of", { time: clock(seconds), total: clock(this.total) }), name, chapter];
    this.seek.setAttribute("aria-valuetext", about.filter(Boolean).join(", "));
  }

  /** @param {number} seconds @returns {number} the index of the chapter then, -1 before all */
  #chapterAt(seconds) {
    return this.chapters.findLastIndex((one) => one.start <= seconds + 0.0005);
  }

  /** @param {number} chapter the index of the one that is heard by now */
  #enter(chapter) {
    if (chapter === this.chapter) return;
    this.chapter = chapter;
    this.chaptered(chapter);
  }

  /** Mark where chapters begin. @param {import("./types.js").Chapter[]} chapters */
  mark(chapters) {
    this.chapters = chapters;
    this.chapter = this.#chapterAt(this.position);
    this.chaptered(this.chapter);
    byId("starts").replaceChildren(lines(chapters.flatMap((one) => (one.start > 0 ? [one.start * 1000] : [])), this.total));
  }

  #frame = () => {
    if (this.looped && this.audio.currentTime >= this.looped[1]) this.audio.currentTime = this.looped[0];
    this.#show(this.position);
    if (this.playing) requestAnimationFrame(this.#frame);
  };

  #connect() {
    const { audio, seek } = this;
    audio.addEventListener("loadedmetadata", () => {
      if (!this.total && Number.isFinite(audio.duration)) { this.total = audio.duration; seek.max = String(this.total); }
      if (this.wanted !== null) { audio.currentTime = this.wanted; this.wanted = null; }
    });
    for (const event of ["timeupdate", "seeked"]) audio.addEventListener(event, () => this.#show(this.position));
    for (const event of ["play", "pause", "ended"]) {
      audio.addEventListener(event, () => {
        document.documentElement.classList.toggle("playing", this.playing);
        byId("play").setAttribute("aria-label", t(this.playing ? "editor.pause" : "editor.play"));
        if (event === "play") requestAnimationFrame(this.#frame);
      });
    }
    audio.addEventListener("error", () => this.#missing(t("editor.audio_missing")));
    seek.max = String(this.total);
    seek.addEventListener("input", () => this.jump(Number(seek.value)));
    seek.addEventListener("pointermove", (event) => {
      const box = seek.getBoundingClientRect(), x = Math.min(Math.max(0, event.clientX - box.left), box.width);
      const seconds = (x / box.width) * this.total, row = this.view.at(seconds * 1000)?.row;
      const name = row ? this.view.model.name(row.paragraph.speaker) : "";
      const chapter = this.chapters[this.#chapterAt(seconds)]?.title;
      peek([clock(seconds), name, chapter].filter(Boolean).join("  "), `${Math.min(Math.max(50, x), Math.max(50, box.width - 50))}px`);
    });
    seek.addEventListener("pointerleave", () => { byId("peek").hidden = true; });
    for (const event of ["wheel", "touchmove"]) addEventListener(event, () => this.follow(false), { passive: true });
    byId("follow").addEventListener("click", () => {
      this.follow(!this.following);
      if (this.following && this.row) this.view.reveal(this.row, this.view.at(this.position * 1000)?.word);
    });
    byId("play").addEventListener("click", () => this.toggle());
    byId("back").addEventListener("click", () => this.step(-10));
    byId("ahead").addEventListener("click", () => this.step(10));
    byId("share").addEventListener("click", () => this.share());
    this.speed.addEventListener("change", () => this.rate(Number(this.speed.value)));
    const pick = byId("pick");
    pick.addEventListener("change", () => {
      const [file] = pick.files ?? [];
      if (!file) return;
      this.wanted = this.position;
      URL.revokeObjectURL(this.picked);
      audio.src = this.picked = URL.createObjectURL(file);
      byId("missing").hidden = true;
    });
  }

  /** @param {string} text */
  #missing(text) {
    byId("missing-text").textContent = text;
    byId("missing").hidden = false;
  }

  // Who speaks when.

  #draw() {
    /** @type {Map<string, {colour: number | null, spans: [number, number][], ms: number}>} */
    const lanes = new Map();
    for (const { paragraph } of this.view.rows) {
      const name = this.view.model.name(paragraph.speaker);
      if (!name) continue;
      const lane = lanes.get(name) ?? { colour: this.view.model.colour(paragraph.speaker), spans: [], ms: 0 };
      lanes.set(name, lane);
      for (const [index, start] of paragraph.starts.entries()) {
        const end = Math.max(start, paragraph.ends[index] ?? start), last = lane.spans.at(-1);
        if (last && start >= last[0] && start - last[1] <= BRIDGED) last[1] = Math.max(last[1], end);
        else lane.spans.push([start, end]);
      }
    }
    const height = Math.max(28, lanes.size * (LANE + GAP) + GAP), scale = WIDTH / Math.max(1, this.total * 1000);
    const svg = byId("when");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    svg.setAttribute("height", String(height));
    const paths = [...lanes.values()].map((lane, number) => {
      const top = GAP + number * (LANE + GAP), path = document.createElementNS(SVG, "path");
      lane.ms = lane.spans.reduce((sum, [start, end]) => sum + end - start, 0);
      path.setAttribute("d", lane.spans.map(([start, end]) => {
        const width = Math.max(1, (end - start) * scale).toFixed(1);
        return `M${(start * scale).toFixed(1)} ${top}h${width}v${LANE}h-${width}z`;
      }).join(""));
      if (lane.colour !== null) path.setAttribute("class", `s${lane.colour}`);
      return path;
    });
    const starts = byId("starts");
    for (const path of svg.querySelectorAll(":scope > path")) path.remove();
    for (const path of paths) svg.insertBefore(path, starts);
    const all = [...lanes.values()].reduce((sum, lane) => sum + lane.ms, 0) || 1;
    byId("speakers").replaceChildren(...[...lanes].map(([name, lane]) => {
      const share = lane.ms / all, bar = document.createElementNS(SVG, "svg");
      for (const [one, width] of /** @type {[string, number][]} */ ([["rest", 100], ["own", share * 100]])) {
        const rect = document.createElementNS(SVG, "rect");
        rect.setAttribute("class", one);
        rect.setAttribute("width", String(width));
        rect.setAttribute("height", "6");
        bar.append(rect);
      }
      bar.setAttribute("class", "share-bar");
      bar.setAttribute("viewBox", "0 0 100 6");
      bar.setAttribute("preserveAspectRatio", "none");
      bar.setAttribute("aria-hidden", "true");
      return element("li", lane.colour === null ? {} : { class: `s${lane.colour}` },
        element("span", { class: "who" }, element("span", { class: "dot", "aria-hidden": "true" }), element("bdi", { class: "name" }, name)),
        element("span", { class: "share" }, `${percent(share)} · ${clock(lane.ms / 1000)}`), bar);
    }));
    byId("speaker-part").hidden = !lanes.size;
  }

  /** Mark moments in the drawing, such as hits. @param {number[]} times in ms @param {number | null} here */
  ticks(times, here) {
    byId("ticks").replaceChildren(lines(times, this.total), lines(here === null ? [] : [here], this.total, "here"));
  }
}

/** Lines through the drawing. @param {number[]} times in ms @param {number} total seconds @param {string} [name] class */
function lines(times, total, name = "") {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("d", times.map((time) => `M${((time / 1000 / Math.max(0.001, total)) * WIDTH - 1).toFixed(1)} 0h2v1000h-2z`).join(""));
  if (name) made.setAttribute("class", name);
  return made;
}

let hiding = 0;

/** Say something for a moment, aloud as well. @param {string} text */
export function toast(text) {
  announce(text);
  peek(text, "50%");
  hiding = window.setTimeout(() => { byId("peek").hidden = true; }, 3000);
}

/** @param {string} text @param {string} left */
function peek(text, left) {
  clearTimeout(hiding);
  byId("peek").textContent = text;
  byId("peek").style.left = left;
  byId("peek").hidden = false;
}

/** The seconds that an address names: "#t=83.5" or clock time (https://www.w3.org/TR/media-frags/). @param {string} hash */
export function momentIn(hash) {
  const found = /^#t=(?:npt:)?((?:\d+:){0,2}\d+(?:\.\d*)?)/.exec(hash);
  return found?.[1] ? found[1].split(":").reduce((sum, part) => sum * 60 + Number(part), 0) : null;
}
