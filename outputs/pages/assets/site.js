// Search over all transcripts with Pagefind, whose index lies beside the site. It builds no markup from text.
const $ = (id) => document.getElementById(id);
const root = new URL(document.body.dataset.root, location.href);
const FIRST = 10, MOMENTS = 3;
const listed = new Map();  // by address: what is told of an episode, and its place in the list
let engines = [], loading = null, asked = 0, results = [], shown = 0;

// Each language has an index of its own, and Pagefind takes the one of the page: so we ask as many as there are.
// Each is a module of its own (the address says which), because instances of one share their memory.
const load = () => (loading ??= begin().catch((error) => { loading = null; throw error; }));
async function begin() {
  const address = (name) => new URL(`pagefind.index/${name}`, root);
  const entry = await (await fetch(address("pagefind-entry.json"))).json();
  const languages = Object.keys(entry.languages);
  const modules = await Promise.all(languages.map((language) => import(address(`pagefind.js?${language}`).href)));
  const page = document.documentElement, ours = page.lang;
  const options = { basePath: address("").pathname, baseUrl: root.pathname, excerptLength: 24 };
  const made = modules.map((pagefind, number) => {
    page.lang = languages[number];
    try { return pagefind.createInstance(options); } finally { page.lang = ours; }
  });
  await Promise.all(made.map((engine) => engine.init()));
  const filters = await Promise.all(made.map((engine) => engine.filters()));
  const merged = (name) => Object.assign({}, ...filters.map((found) => found[name]));
  offer("speaker", merged("speaker"));
  if (!document.body.dataset.show) offer("show", merged("show"));
  engines = made;
}
async function ask(query, filters) {
  const found = await Promise.all(engines.map((engine) => engine.search(query, { filters })));
  return found.flatMap((one) => one?.results ?? []).sort((a, b) => b.score - a.score);
}
function offer(id, counts = {}) {
  const names = Object.keys(counts).sort((a, b) => a.localeCompare(b));
  for (const name of names) $(id).append(new Option(name, name));
  $(id).closest("label").hidden = names.length < 2;
}
function clock(seconds) {
  const s = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
}
const make = (tag, props = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
};
// An excerpt comes as text in which <mark> stands around the words: marked up by us, piece by piece.
function excerpt(text, name) {
  const spoken = name && text.startsWith(name) ? text.slice(name.length).replace(/^[.\s]+/, "") : text;
  return spoken.split(/(<mark>.*?<\/mark>)/s).map((piece) => {
    const marked = /^<mark>(.*)<\/mark>$/s.exec(piece);
    return marked ? make("mark", {}, plain(marked[1])) : plain(piece);
  });
}
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&#x27;": "'" };
const plain = (text) => text.replace(/&(?:lt|gt|amp|quot|#39|#x27);/g, (entity) => ENTITIES[entity]);

async function search() {
  const query = $("query").value.trim(), turn = ++asked;
  const address = new URL(location.href);
  if (query) address.searchParams.set("q", query); else address.searchParams.delete("q");
  history.replaceState(null, "", address);
  if (!query) { results = []; $("hits").replaceChildren(); $("found").textContent = ""; $("more").hidden = true; $("list").hidden = false; return; }
  let found;
  try {
    await load();
    const filters = {};
    const show = document.body.dataset.show || $("show").value;
    if ($("speaker").value) filters.speaker = $("speaker").value;
    if (show) filters.show = show;
    found = await ask(query, filters);
  } catch (error) {
    $("found").textContent = location.protocol === "file:"
      ? "Search needs a web server: python -m http.server in the site's folder is enough."
      : `Search does not work: ${error.message}`;
    return;
  }
  if (turn !== asked) return;
  results = found;
  shown = 0;
  await more(turn);
}
async function more(turn = asked) {
  const from = shown;
  const next = await Promise.all(results.slice(from, from + FIRST).map((result) => result.data()));
  if (turn !== asked || from !== shown) return;
  if (!from) { // the number is told when what it counts is there
    $("hits").replaceChildren();
    $("list").hidden = true;
    listed.clear();
  }
  shown += next.length;
  for (const page of next) add(page);
  const count = results.length - (shown - listed.size);
  $("found").textContent = count ? `${count} episode${count > 1 ? "s" : ""}` : "No hits";
  $("more").hidden = shown >= results.length;
}
// An episode in several languages is in the index of each: what is found of it comes together here.
function add(found) {
  const bare = (one) => ({ ...one, url: one.url.replace(/\?\d+/, "") });
  const before = listed.get(bare(found).url);
  const page = before?.page ?? { ...bare(found), sub_results: [] };
  page.sub_results.push(...found.sub_results.map(bare));
  const item = entry(page);
  if (before) before.item.replaceWith(item); else $("hits").append(item);
  listed.set(page.url, { page, item });
}
// What was found may be in the heading: the title of a chapter, or the name of who speaks. The excerpt begins with it then.
function heading({ title, excerpt: text }) {
  const found = !plain(text).startsWith(title) && plain(text.replace(/<\/?mark>/g, "")).startsWith(title);
  return found || /^[\d:]+$/.test(title) ? "" : title;
}
function entry(page) {
  const moments = page.sub_results.filter((sub) => sub.url.includes("#t="));
  const best = moments.sort((a, b) => b.locations.length - a.locations.length).slice(0, MOMENTS);
  best.sort((a, b) => seconds(a.url) - seconds(b.url));
  const list = make("ul", {}, ...best.map((sub) => make("li", { className: "at" },
    make("a", { href: sub.url }, clock(seconds(sub.url))),
    make("span", { dir: "auto" }, make("bdi", { className: "name" }, heading(sub)), ...excerpt(sub.excerpt, sub.title)))));
  const facts = [page.meta.show, page.meta.date].filter(Boolean).join(" · ");
  return make("li", {}, make("h3", { dir: "auto" }, make("a", { href: page.url }, page.meta.title)),
    make("span", { className: "share" }, facts), list);
}
const seconds = (url) => Number(/#t=([\d.]+)/.exec(url)?.[1] ?? 0);

let typing = 0;
$("query").addEventListener("focus", () => load().catch(() => {}), { once: true });
$("query").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 150); });
$("find-form").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(typing); search(); });
for (const id of ["speaker", "show"]) $(id).addEventListener("change", search);
$("more").addEventListener("click", () => more());
$("find-form").hidden = false;
const asking = new URLSearchParams(location.search).get("q");
if (asking) { $("query").value = asking; search(); }
