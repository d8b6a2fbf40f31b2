// The queue: what runs, what waits, what came of it, as it changes.
import { announce, api, byId, confirmed, count, duration, element, episodeAddress, events, frame, icon, may, name, percent, Problem, t, when } from "./frame.js";

/** @typedef {{id: string, show: string, title: string, state: string, stage: string, share: number | null, seconds_left: number | null,
 *   words: string, attempts: number, error: string, warnings: string | string[], episode: string | null, added_by: string,
 *   added_at: any, started_at: any, done_at: any}} Item */
/** @typedef {{waiting: string[], counts: Record<string, number>}} Line ids of the next that wait, in order; how many there are, by state */

const SHOWN = 100; // of what ended
const editing = may("editor");
/** @type {Map<string, Item>} */
const items = new Map();
/** @type {Map<string, ReturnType<typeof card>>} */
const cards = new Map();
/** @type {Line} */
let line = { waiting: [], counts: {} };

/** @param {Item} item */
const part = (item) => (item.state === "running" ? "now" : ["waiting", "queued"].includes(item.state) ? "waiting" : "ended");
const BADGES = /** @type {Record<string, string>} */ ({ running: "busy", queued: "busy", done: "good", failed: "bad" });

/** The elements of an item's card; `update` brings them up to date, so that focus and reading stay where they are. @param {Item} first */
function card(first) {
  const title = element("p"), badge = element("span"), facts = element("p", { class: "facts" });
  const bar = element("progress", { max: 1, "aria-label": t("queue.progress", { title: first.title }) });
  const words = element("p", { class: "heard small soft", dir: "auto" }), problem = element("p", { class: "problem" });
  const button = (/** @type {string} */ key, /** @type {any} */ shape, /** @type {() => any} */ work) =>
    element("button", { type: "button", class: "quiet icon", "aria-label": `${t(key)}: ${first.title}`, title: t(key), onclick: () => act(first.id, work) }, icon(shape));
  const buttons = {
    first: button("queue.first", "first", () => move(first.id, "first")),
    up: button("queue.up", "up", () => move(first.id, "up")),
    down: button("queue.down", "down", () => move(first.id, "down")),
    retry: button("queue.retry", "again", () => api("POST", `/queue/${first.id}/retry`)),
    cancel: button("queue.cancel", "close", () => cancel(first.id)),
  };
  const row = element("li", { class: "card", "data-id": first.id },
    element("div", { class: "split" },
      element("div", {}, title, facts),
      element("div", { class: "actions" }, badge, ...(editing ? Object.values(buttons) : []))),
    bar, words, problem);

  /** @param {Item} item @param {Item[]} waiting those that wait, in their order */
  function update(item, waiting) {
    const now = part(item), place = waiting.indexOf(item);
    row.dataset.state = item.state;
    title.replaceChildren(item.episode && item.state === "done"
      ? element("a", { class: "title", href: episodeAddress(item.episode) }, name(item.title))
      : element("span", { class: "title" }, name(item.title)));
    badge.className = `badge ${BADGES[item.state] ?? ""}`;
    badge.textContent = t(`queue.state.${item.state}`);
    const told = [
      item.show && name(item.show),
      now === "now" && item.stage && (frame.texts[`queue.stage.${item.stage}`] ?? item.stage),
      now === "now" && item.share !== null && percent(item.share),
      now === "now" && item.seconds_left !== null && t("queue.left", { time: duration(item.seconds_left) }),
      now === "ended" && item.done_at && when(item.done_at, true),
      item.added_by && t("queue.by", { name: item.added_by }),
    ].filter(Boolean);
    facts.replaceChildren(...told.map((one) => element("span", {}, one)));
    bar.hidden = now !== "now";
    if (item.share === null) bar.removeAttribute("value");
    else bar.value = item.share;
    words.hidden = now !== "now" || !item.words;
    words.textContent = item.words ? `… ${item.words}` : "";
    problem.textContent = ["failed", "waiting"].includes(item.state) ? item.error : "";
    buttons.first.hidden = buttons.up.hidden = buttons.down.hidden = now !== "waiting" || waiting.length < 2;
    buttons.first.disabled = buttons.up.disabled = place === 0;
    buttons.down.disabled = place === waiting.length - 1;
    buttons.retry.hidden = !["failed", "cancelled", "skipped"].includes(item.state);
    buttons.cancel.hidden = now === "ended";
  }
  return { row, update, problem };
}

/** Those that wait, in the order in which they are handed out: as many as are told of. */
function order() {
  const waiting = [...items.values()].filter((one) => part(one) === "waiting");
  const places = new Map(line.waiting.map((id, place) => [id, place]));
  return waiting.sort((one, other) => (places.get(one.id) ?? Infinity) - (places.get(other.id) ?? Infinity));
}

function draw() {
  const waiting = order(), all = [...items.values()];
  const parts = {
    now: all.filter((one) => part(one) === "now"),
    waiting,
    ended: all.filter((one) => part(one) === "ended").sort((one, other) => moment(other) - moment(one)).slice(0, SHOWN),
  };
  const focus = /** @type {HTMLElement | null} */ (document.activeElement), card_of = focus?.closest(".card");
  for (const [id, shown] of Object.entries(parts)) {
    const section = byId(id), list = section.querySelector("ol");
    section.hidden = shown.length === 0;
    const rows = shown.map((item) => {
      let made = cards.get(item.id);
      if (!made) cards.set(item.id, (made = card(item)));
      made.update(item, waiting);
      return made.row;
    });
    for (const [at, row] of rows.entries()) if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
    while (list.children.length > rows.length) list.lastElementChild.remove();
  }
  const more = (line.counts.waiting ?? 0) + (line.counts.queued ?? 0) - waiting.length;
  byId("more").hidden = more <= 0;
  byId("more").textContent = more > 0 ? count("queue.more", more) : "";
  byId("empty").hidden = items.size > 0;
  if (focus && card_of && document.activeElement !== focus) refocus(focus, card_of);
}

/** Where a card went, the focus goes along. @param {HTMLElement} focus @param {Element} card */
function refocus(focus, card) {
  const usable = (/** @type {any} */ one) => !one.hidden && !one.disabled;
  if (!card.isConnected) return byId("main").focus();
  const next = usable(focus) ? focus : /** @type {HTMLElement | undefined} */ ([...card.querySelectorAll("button, a")].find(usable));
  (next ?? byId("main")).focus();
}

/** @param {Item} item */
const moment = (item) => new Date(typeof item.done_at === "number" ? item.done_at * 1000 : item.done_at ?? 0).getTime();

/** @param {string} id @param {() => Promise<any>} work */
async function act(id, work) {
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const place = cards.get(id)?.problem;
    if (place) place.textContent = problem.message;
    announce(problem.message);
  }
}

/** @param {string} id */
async function cancel(id) {
  const item = /** @type {Item} */ (items.get(id));
  if (item.state === "running" && !(await confirmed(t("queue.stop"), t("queue.stop.text", { title: item.title }), t("queue.stop.yes"), { danger: true }))) return;
  await api("POST", `/queue/${id}/cancel`);
}

/** @param {string} id @param {"first" | "up" | "down"} where */
async function move(id, where) {
  const waiting = order().map((one) => one.id), at = waiting.indexOf(id);
  // Down is the next one up: what comes behind that may not be told of.
  const [moved, to] = where === "down" ? [waiting[at + 1], { before: id }] : [id, where === "up" ? { before: waiting[at - 1] } : "first"];
  await api("POST", `/queue/${moved}/move`, { to });
  announce(t("queue.moved", { place: where === "first" ? 1 : at + (where === "up" ? 0 : 2) }));
}

/** Only what ended is said to screen readers: how far something is, they can ask for. @param {Item | undefined} before @param {Item} item */
function say(before, item) {
  if (before && before.state !== item.state && ["done", "failed"].includes(item.state)) announce(t(`queue.said.${item.state}`, { title: item.title }));
}

let drawing = 0;
const redraw = () => { drawing ||= requestAnimationFrame(() => { drawing = 0; draw(); }); };

byId("empty").append(element("div", { class: "empty" },
  element("h2", {}, t("queue.empty")),
  element("p", {}, t("queue.empty.text")),
  editing ? element("p", { class: "actions" }, element("a", { class: "button primary", href: `${frame.base}/add` }, t("library.add"))) : null));

events("/queue/events", {
  queue: (told) => { items.clear(); for (const one of told.items) items.set(one.id, one); line = told; redraw(); },
  line: (told) => { line = told; redraw(); },
  item: (item) => { say(items.get(item.id), item); items.set(item.id, item); redraw(); },
  gone: ({ id }) => { items.delete(id); cards.delete(id); redraw(); },
}, (connected) => { byId("lost").hidden = connected; });
