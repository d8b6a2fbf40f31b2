// The page of an episode: to read, hear, correct and review.

import { api, byId, bytes, clock, count, element, frame, idle, percent, storage, t, when } from "./frame.js";
import { Chapters } from "./editor/chapters.js";
import { Conflicts } from "./editor/conflicts.js";
import { Editing } from "./editor/editing.js";
import { Find } from "./editor/find.js";
import { History } from "./editor/history.js";
import { Model } from "./editor/model.js";
import { Player, momentIn, toast } from "./editor/player.js";
import { Review } from "./editor/review.js";
import { SpeakerMenu } from "./editor/speakers.js";
import { Sync } from "./editor/sync.js";
import { View } from "./editor/view.js";

/** @typedef {import("./editor/types.js").Page} Page */

const UNKNOWN = "und"; // the language of an episode in which nothing tells it
const episode = (byId("episode").dataset.episode ?? "").split("/").map(encodeURIComponent).join("/"), address = `/episodes/${episode}`;

try {
  open(await api("GET", address));
} catch (error) {
  byId("transcript").replaceChildren(element("p", { class: "note", role: "alert" }, error instanceof Error ? error.message : String(error)));
  throw error;
}

/** @param {Page} page */
function open(page) {
  const model = new Model(page), root = document.documentElement;
  const view = new View(byId("transcript"), model, page.editable, { orphaned: (row) => editing.commit(row) });
  const sync = new Sync(episode, model, {
    changed: () => { view.update(); conflicts.place(); chapters.refresh(); player.refresh(); find.refresh(); review.refresh(); },
    state,
    conflict: (conflict) => conflicts.add(conflict),
    refused: (detail) => toast(detail || t("editor.refused")),
    dropped: (edits) => history.dropped(edits),
    present: (users) => present(users),
    undoable: (list) => history.seed(list),
  });
  const history = new History(sync, view, undoable), player = new Player(view, page, `${frame.base}/api/v1${address}/audio`);
  const conflicts = new Conflicts(episode, view, sync, history);
  const chapters = new Chapters(view, player, history);
  const menu = new SpeakerMenu(view, history, (row) => chapters.add(row));
  const review = new Review(address, view, player, history, (row, name, answered) => menu.open(row, name, answered));
  const editing = new Editing(view, player, history, {
    name: (row) => menu.open(row), enter: (row, changed, picked) => review.enter(row, changed, picked), leave: () => review.leave(),
  });
  review.editing = editing;
  const find = new Find(view, player, history, () => editing.commitAll());

  head(page);
  view.update();
  conflicts.place();
  chapters.refresh();
  player.refresh();
  review.refresh();
  undoable();
  history.seed(page.undo);
  sync.start();
  if (!page.paragraphs.length) byId("nobody-speaks").hidden = false;
  for (const id of ["undo", "redo", "state"]) byId(id).hidden = !page.editable;
  root.classList.toggle("editable", page.editable);
  root.classList.add("live");
  performance.mark("open");
  byId("bar").hidden = false;
  const narrow = matchMedia("(max-width: 60rem)"), fold = () => { byId("about").open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();
  goToHash();
  idle(files);

  function goToHash() {
    const seconds = momentIn(location.hash);
    if (seconds === null) return;
    player.jump(seconds);
    player.row?.section.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", goToHash);

  /** @param {import("./editor/sync.js").State} now */
  function state(now) {
    const keys = { saved: "editor.saved", saving: "editor.saving", kept: "editor.kept", "signed-out": "editor.signed_out", forbidden: "editor.forbidden", gone: "editor.gone" };
    const text = t(keys[now]);
    if (byId("state").dataset.state === now) return;
    byId("state").dataset.state = now;
    byId("state").replaceChildren(now === "signed-out"
      ? element("a", { href: `${frame.base}/login?next=${encodeURIComponent(location.pathname)}` }, text) : text);
  }

  function undoable() {
    byId("undo").disabled = !history.done.length;
    byId("redo").disabled = !history.undone.length;
  }

  /** @param {string[]} users */
  function present(users) {
    const others = [...users];
    if (others.includes(frame.caller.name)) others.splice(others.indexOf(frame.caller.name), 1);
    const names = [...new Set(others)], list = new Intl.ListFormat(frame.language, { type: "conjunction" }).format(names);
    byId("present").textContent = names.length ? t(names.length > 1 ? "editor.present.other" : "editor.present.one", { names: list }) : "";
  }

  async function files() {
    try {
      const { items } = await api("GET", `${address}/files`);
      byId("file-list").replaceChildren(...items.map((/** @type {{name: string, bytes: number}} */ file) => element("li", {},
        element("a", { href: `${frame.base}/api/v1${address}/files/${encodeURIComponent(file.name)}`, download: file.name }, file.name),
        element("span", { class: "share" }, bytes(file.bytes)))));
      byId("file-part").hidden = false;
    } catch { /* the page is whole without them */ }
  }

  // An episode can be had in each of its translations; each format has the choices of its kind.
  byId("export-language").append(...page.translations.map((code) => element("option", { value: code }, said(code))));
  byId("export-languages").hidden = byId("export-language").disabled = !page.translations.length;
  const format = byId("export-format"), choices = /** @type {NodeListOf<HTMLElement>} */ (byId("export").querySelectorAll(".choice[data-kind]"));
  const offer = () => {
    for (const one of choices) {
      one.hidden = one.dataset.kind !== format.selectedOptions[0].dataset.kind;
      /** @type {HTMLSelectElement} */ (one.querySelector("select")).disabled = one.hidden;
    }
  };
  format.addEventListener("change", offer);
  offer();

  // Buttons and keys.
  byId("undo").addEventListener("click", () => editing.step(true));
  byId("redo").addEventListener("click", () => editing.step(false));
  byId("open-find").addEventListener("click", () => find.open());
  const keys = byId("keys"), single = byId("keys-on");
  const follows = byId("follow-caret");
  byId("help").addEventListener("click", () => keys.showModal());
  single.checked = storage.get("keys") !== "off";
  single.addEventListener("change", () => storage.set("keys", single.checked ? "on" : "off"));
  follows.checked = editing.followsCaret;
  follows.addEventListener("change", () => storage.set("caret", follows.checked ? "on" : "off"));

  /** @type {Record<string, () => void>} */
  const SINGLE = {
    " ": () => player.toggle(), k: () => player.toggle(), ArrowLeft: () => player.step(-5), ArrowRight: () => player.step(5),
    j: () => player.step(-10), l: () => player.step(10), ",": () => player.stepWord(-1), ".": () => player.stepWord(1),
    "[": () => player.stepParagraph(-1), "]": () => player.stepParagraph(1), "<": () => player.stepChapter(-1), ">": () => player.stepChapter(1), "/": () => find.open(), f: () => byId("follow").click(),
    s: () => player.share(), "-": () => player.faster(-1), "+": () => player.faster(1), "=": () => player.faster(1), "?": () => keys.showModal(),
    n: () => find.step(1), p: () => find.step(-1), c: () => { if (page.editable) chapters.add(); },
  };
  document.addEventListener("keydown", (event) => {
    const at = /** @type {HTMLElement} */ (event.target), key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const field = at.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])"), done = () => event.preventDefault();
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      if (key === "s") { done(); editing.commitAll(); sync.flush(); }
      else if (key === "f" && !event.shiftKey && at !== find.query) { done(); find.open(); }
      else if ((key === "z" || key === "y") && !field && page.editable) { done(); editing.step(key === "z" && !event.shiftKey); }
      return;
    }
    if (event.altKey && review.active && (key === "ArrowDown" || key === "ArrowUp")) { done(); editing.commitAll(); review.go(review.at + (key === "ArrowDown" ? 1 : -1)); return; }
    if (/^(Page|Home|End|Arrow(Up|Down))/.test(key)) player.follow(false);
    if (event.altKey || field || at.isContentEditable || !single.checked || document.querySelector("[popover]:popover-open")) return;
    if (at.matches("button, a, input, summary") && (key === " " || key === "Enter" || key.startsWith("Arrow"))) return;
    if (review.key(key)) { done(); return; }
    const act = SINGLE[key];
    if (act) { done(); act(); }
  });
  addEventListener("beforeunload", (event) => {
    editing.commitAll();
    if (sync.unsafe || conflicts.unsafe) event.preventDefault();
  });
}

/** What a language is called in the user's. @param {string} code */
function said(code) {
  try { return new Intl.DisplayNames([frame.language], { type: "language" }).of(code) ?? code; } catch { return code; }
}

/** @param {Page} page */
function head(page) {
  document.title = `${page.title} · ${t("app.name")}`;
  byId("title").textContent = page.title;
  byId("show").textContent = page.show;
  byId("show").hidden = !page.show;
  const names = new Set(page.speakers.map((one) => one.name));
  const spoken = page.languages, languages = spoken.length > 1
    ? spoken.map((one) => `${said(one.language)} ${percent(one.share)}`) : page.language && page.language !== UNKNOWN ? [said(page.language)] : [];
  const facts = [page.published ? when(page.published) : null, clock(page.seconds), names.size ? count("editor.speakers", names.size) : null, ...languages];
  byId("facts").replaceChildren(...facts.filter((one) => one !== null).flatMap((one, at) => (at ? [" · ", one] : [one])));
  byId("of").textContent = `/ ${clock(page.seconds)}`;
  byId("warnings").replaceChildren(...page.warnings.map((warning) => element("p", { class: "note", dir: "auto" }, warning)));
  if (!page.summary?.sentences.length) return;
  byId("summary-text").replaceChildren(...page.summary.sentences.flatMap(({ text, start }) => [element("a", { href: `#t=${start}`, dir: "auto", title: t("editor.play_from", { time: clock(start) }) }, text), " "]));
  byId("summary-by").textContent = t("editor.summary_by", { name: page.summary.engine });
  byId("summary").hidden = false;
}
