// The library: all episodes, to filter and sort, and what is on its way into it.
import { all, byId, check, count, duration, element, episodeAddress, events, field, frame, listing, may, name, number, percent, query, soon, t, when } from "./frame.js";

const given = new URLSearchParams(location.search);
const form = /** @type {HTMLFormElement} */ (byId("filters"));
const list = listing(byId("episodes"), row, shown);

/** @param {any} episode an EpisodeSummary of the API */
function row(episode) {
  const { words, speakers, names } = episode.doubts, doubts = words + speakers + names;
  const badge = doubts
    ? element("span", { class: "badge warn" }, count("library.doubts", doubts))
    : episode.reviewed && element("span", { class: "badge good" }, t("library.reviewed"));
  return element("li", { class: "split" },
    element("div", {},
      element("a", { class: "title", href: episodeAddress(episode.episode), lang: episode.language }, name(episode.title)),
      element("p", { class: "facts" },
        episode.show && element("span", {}, name(episode.show)),
        episode.published && when(episode.published),
        element("span", {}, duration(episode.seconds)),
        episode.speakers.length ? element("span", {}, ...people(episode.speakers)) : null)),
    badge || null);
}

/** @param {string[]} names */
function people(names) {
  const first = names.slice(0, 4), rest = names.length - first.length;
  const said = first.flatMap((one, place) => [place ? ", " : "", name(one)]);
  return rest > 0 ? [...said, ` ${count("library.others", rest)}`] : said;
}

function filters() {
  const { q, show: folder, sort, doubtful } = Object.fromEntries(new FormData(form));
  return { q, show: folder, sort: sort === "date" ? "" : sort, doubtful };
}

function update() {
  const wanted = query(filters());
  history.replaceState(null, "", `${location.pathname}${wanted}`);
  return list.show(`/episodes${wanted}`);
}

/** @param {any} page */
function shown({ items, next, unread }) {
  const filtered = Object.values({ ...filters(), sort: "" }).some(Boolean);
  const found = filtered && !next ? count("library.found", items.length) : "";
  byId("found").textContent = unread ? count("library.unread", unread) : found;
  if (unread) reread();
  const known = [...shows.options].map((/** @type {HTMLOptionElement} */ one) => one.value);
  if (items.some((/** @type {any} */ one) => !known.includes(one.episode.split("/")[0]))) listShows();
  byId("empty").hidden = items.length > 0 || unread > 0;
  byId("episodes").hidden = items.length === 0;
  if (items.length) form.hidden = false;
  else byId("empty").replaceChildren(filtered ? nothing() : beginning());
}

function beginning() {
  return element("div", { class: "empty" },
    element("h2", {}, t("library.empty")),
    element("p", {}, t(may("editor") ? "library.begin" : "library.wait")),
    may("editor") ? element("p", { class: "actions" }, element("a", { class: "button primary", href: `${frame.base}/add` }, t("library.add"))) : null);
}

function nothing() {
  const clear = () => { form.reset(); for (const one of form.querySelectorAll("input")) one.value = ""; update(); form.querySelector("input")?.focus(); };
  return element("div", { class: "empty" },
    element("p", {}, t("library.nothing")),
    element("p", { class: "actions" }, element("button", { type: "button", onclick: clear }, t("library.clear"))));
}

/** Episodes with corrections that wait in this browser for their page: "show/episode", as addresses have it. */
function unsent() {
  const kinds = ["edit", "conflict"].map((kind) => `episcribe-${kind} ${frame.caller.name} `);
  try {
    const found = Object.keys(localStorage).flatMap((key) => kinds.filter((kind) => key.startsWith(kind)).map((kind) => key.slice(kind.length).split(" ")[0] ?? ""));
    return [...new Set(found)].sort();
  } catch { return []; }
}

function tellUnsent() {
  const waiting = unsent().map((path) => path.split("/").map(decodeURIComponent).join("/"));
  byId("unsent").hidden = !waiting.length;
  byId("unsent").replaceChildren(t("library.unsent"), element("ul", {},
    ...waiting.map((one) => element("li", {}, element("a", { href: episodeAddress(one) }, name(one))))));
}

const shows = element("select", { name: "show" });
const showsField = field(t("library.show"), shows);

/** The shows that there are now; the chosen one stays chosen. */
async function listShows() {
  const found = await all("/shows").catch(() => []), chosen = shows.value || given.get("show");
  const options = found.map((one) => element("option", { value: one.show, selected: one.show === chosen }, `${one.title} (${number(one.episodes)})`));
  shows.replaceChildren(element("option", { value: "" }, t("library.all")), ...options);
  showsField.hidden = found.length < 2;
}

async function start() {
  const option = (/** @type {string} */ value) => element("option", { value, selected: value === given.get("sort") }, t(`library.sort.${value}`));
  await listShows();
  form.append(
    field(t("library.filter"), element("input", { type: "search", name: "q", value: given.get("q"), autocomplete: "off", spellcheck: "false", dir: "auto" }), undefined, { class: "field grow" }),
    showsField,
    field(t("library.sort"), element("select", { name: "sort" }, ...["date", "title", "doubt"].map(option))),
    check(t("library.doubtful"), { name: "doubtful", value: "true", checked: given.get("doubtful") === "true" }));
  form.addEventListener("input", soon(update, 150));
  form.addEventListener("submit", (event) => event.preventDefault());
  await update();
}

/** What is being processed now, above the episodes. @type {Map<string, any>} */
const queue = new Map();

function running() {
  const now = [...queue.values()].filter((one) => ["running", "queued", "waiting"].includes(one.state));
  const active = now.filter((one) => one.state === "running");
  const place = byId("running");
  place.hidden = now.length === 0;
  if (!now.length) return;
  place.replaceChildren(element("div", { class: "card" },
    element("ul", { class: "cards" }, ...active.map((one) => element("li", {},
      element("p", { class: "split" }, element("span", { class: "title" }, name(one.title)), element("span", { class: "soft numbers" }, one.share === null ? t(`queue.state.${one.state}`) : percent(one.share))),
      element("progress", { max: 1, value: one.share ?? undefined, "aria-label": one.title })))),
    element("p", { class: "small" },
      now.length > active.length ? `${count("library.waiting", now.length - active.length)} ` : null,
      element("a", { href: `${frame.base}/queue` }, t("library.queue")))));
}

// Episodes that are in the library come into its lists a moment later.
const reread = soon(update, 3000);
events("/queue/events", {
  queue: ({ items }) => { queue.clear(); for (const one of items) queue.set(one.id, one); running(); },
  item: (one) => {
    const finished = one.state === "done" && queue.get(one.id)?.state === "running";
    queue.set(one.id, one);
    running();
    if (finished) reread();
  },
  gone: ({ id }) => { queue.delete(id); running(); },
});
addEventListener("pageshow", tellUnsent);
start();
