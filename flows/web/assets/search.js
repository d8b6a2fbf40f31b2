// Search over all that was said, by words or by meaning; a hit plays where it was said.
import { all, api, byId, check, clock, count, element, episodeAddress, field, frame, icon, listing, name, number, query, soon, t, when } from "./frame.js";

const COUNTED = 1000; // hits, up to which the API counts
const LOOK_AGAIN = 3000; // ms, while episodes are embedded
const SELDOM = 60_000;
const given = new URLSearchParams(location.search);
const form = /** @type {HTMLFormElement} */ (byId("filters"));
const list = listing(byId("hits"), hit, shown);

/** @type {HTMLAudioElement} */
const audio = element("audio", { controls: true, preload: "none" });
/** The button of the hit that plays. @type {HTMLButtonElement | null} */
let playing = null;
/** The hits in the card made last: those of one episode that follow each other share a card. @type {HTMLElement} */
let card;
/** Looks how many episodes are not found by meaning yet. */
let looking = 0;

/** @param {any} found a hit of the API @param {any} previous */
function hit(found, previous) {
  const line = element("li", { class: "hit" },
    element("button", { type: "button", class: "icon quiet", "aria-label": t("search.play", { time: clock(found.seconds) }), "aria-pressed": "false", onclick: (/** @type {Event} */ event) => play(/** @type {any} */ (event.currentTarget), found) }, icon("play")),
    element("div", {},
      // The chapter, once for the hits in it that follow each other.
      previous?.episode === found.episode && previous.chapter === found.chapter ? "" : found.chapter && element("p", { class: "facts", dir: "auto" }, found.chapter),
      element("p", { dir: "auto" },
        element("a", { class: "numbers", href: episodeAddress(found.episode, found.seconds) }, clock(found.seconds)), " ",
        found.speaker && element("bdi", { class: "who" }, found.speaker), found.speaker && " ",
        ...marked(found.text, found.marks))));
  if (previous?.episode === found.episode) {
    card.append(line);
    return "";
  }
  card = element("ol", {}, line);
  return element("li", { class: "card" },
    element("h2", { class: "small" }, element("a", { class: "title", href: episodeAddress(found.episode) }, name(found.title))),
    element("p", { class: "facts" }, found.show && element("span", {}, name(found.show)), found.published && when(found.published)),
    card);
}

/** @param {string} text @param {[number, number][]} marks from, to */
function marked(text, marks) {
  const parts = [];
  let at = 0;
  for (const [from, to] of marks) {
    parts.push(text.slice(at, from), element("mark", {}, text.slice(from, to)));
    at = to;
  }
  return [...parts, text.slice(at)];
}

/** @param {HTMLButtonElement} button @param {any} found */
async function play(button, found) {
  if (playing === button && !audio.paused) return audio.pause();
  const source = `${frame.base}/api/v1/episodes/${found.episode.split("/").map(encodeURIComponent).join("/")}/audio`;
  state(false);
  playing = button;
  if (audio.getAttribute("src") !== source) audio.src = source;
  audio.currentTime = found.seconds;
  byId("player").replaceChildren(element("p", {}, element("a", { class: "title", href: episodeAddress(found.episode, found.seconds) }, name(found.title))), audio);
  byId("player").hidden = false;
  await audio.play().catch(() => {});
}

/** @param {boolean} on */
function state(on) {
  playing?.setAttribute("aria-pressed", String(on));
  playing?.replaceChildren(icon(on ? "pause" : "play"));
}
audio.addEventListener("playing", () => state(true));
audio.addEventListener("pause", () => state(false));
audio.addEventListener("error", () => {
  state(false);
  byId("player").replaceChildren(element("p", { role: "alert" }, t("search.silent")));
});

function update() {
  const wanted = query(Object.fromEntries(new FormData(form)));
  history.replaceState(null, "", `${location.pathname}${wanted}`);
  clearTimeout(looking);
  if (new FormData(form).get("q")) return list.show(`/search${wanted}`);
  list.clear();
  byId("found").textContent = t("search.begin");
}

/** @param {any} page */
function shown(page) {
  if (new FormData(form).has("meaning")) return ranked(page);
  byId("found").textContent = page.count > COUNTED ? t("search.many", { count: number(COUNTED) }) : count("search.found", page.count);
}

/**
 * Say how much is found by meaning, as long as that is not all; then search again, once nothing plays.
 * @param {any} page @param {number} pause ms to the next look: longer where nobody seems to embed what is missing
 */
function ranked(page, pause = LOOK_AGAIN) {
  byId("found").textContent = page.waiting ? count("search.waiting", page.waiting) : page.count ? t("search.ranked") : count("search.found", 0);
  if (!page.waiting) return;
  const asked = location.search;
  clearTimeout(looking);
  looking = setTimeout(async () => {
    const now = audio.paused ? await api("GET", `/search${asked}&limit=1`).catch(() => page) : page;
    if (asked !== location.search) return;
    if (now.waiting) ranked(now, now.waiting < page.waiting || !audio.paused ? LOOK_AGAIN : Math.min(2 * pause, SELDOM));
    else if (audio.paused) update();
    else ranked(page);
  }, pause);
}

async function start() {
  const shows = await all("/shows").catch(() => []);
  const input = (/** @type {string} */ kind, /** @type {string} */ key) => element("input", { type: kind, name: key, value: given.get(key), autocomplete: "off", dir: kind === "date" ? undefined : "auto" });
  form.append(
    field(t("search.words"), element("input", { type: "search", name: "q", value: given.get("q"), autocomplete: "off", enterkeyhint: "search", dir: "auto" }), undefined, { class: "field grow" }),
    check(t("search.meaning"), { name: "meaning", value: "true", checked: given.get("meaning") === "true" }),
    field(t("search.speaker"), input("text", "speaker")),
    shows.length > 1
      ? field(t("search.show"), element("select", { name: "show" }, element("option", { value: "" }, t("search.all")), ...shows.map((one) => element("option", { value: one.show, selected: one.show === given.get("show") }, one.title))))
      : "",
    field(t("search.since"), input("date", "since")),
    field(t("search.until"), input("date", "until")));
  form.addEventListener("input", soon(update, 250));
  form.addEventListener("submit", (event) => { event.preventDefault(); update(); });
  form.querySelector("input")?.focus();
  update();
}
start();
