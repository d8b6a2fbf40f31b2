// Publishing: what will change is shown first, and then done.
import { api, byId, check, count, element, field, load, name, Problem, submits, t, when } from "./frame.js";

/** @typedef {{count: number, names: string[]}} Names */
/** @typedef {{id: string, state: string, error: string, target: string, added: Names | null, changed: Names | null, removed: Names | null,
 *   unchanged: number | null, skipped: Record<string, string>, links: {title: string, links: string[]}[]}} Run */

const KINDS = /** @type {const} */ (["added", "changed", "removed"]);
const LOOK = 1000; // milliseconds between two looks at a run that takes longer

/**
 * What can be published, with what would change and the button that does it.
 * @param {string} title
 * @param {(Node | string | null)[]} facts
 * @param {string} path
 * @param {Record<string, any>} order what is asked for besides
 * @param {string} action
 * @param {...Node} choices
 */
function target(title, facts, path, order, action, ...choices) {
  const place = element("div", { class: "plan", role: "status" });
  const button = element("button", { type: "button", class: "primary", hidden: true }, action);
  const form = element("form", {},
    element("h3", {}, name(title)),
    element("p", { class: "facts" }, ...facts.map((one) => one && element("span", {}, one))),
    ...choices, place,
    element("p", { class: "actions" }, button, element("button", {}, t("publish.plan"))));
  const say = (/** @type {(Node | string)[]} */ ...told) => { button.hidden = true; place.replaceChildren(...told); };
  const wanted = (/** @type {Record<string, any>} */ values) => ({ ...order, ...Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value === "on" ? true : value])) });

  submits(form, async (values) => {
    say(element("p", { class: "soft" }, t("publish.looks")));
    try {
      const run = await whole(await api("POST", path, { ...wanted(values), dry_run: true }));
      say(...plan(run, "would"));
      button.hidden = !KINDS.some((one) => run[one]?.count);
      button.onclick = () => doIt(values);
    } catch (problem) {
      say();
      throw problem;
    }
  });
  form.addEventListener("change", () => say());

  /** @param {Record<string, any>} values */
  async function doIt(values) {
    button.disabled = true;
    place.append(element("p", { class: "soft" }, t("publish.works")));
    try {
      const run = await whole(await api("POST", path, { ...wanted(values), dry_run: false }));
      say(element("p", { class: "good" }, t("publish.done")), ...plan(run, "did"));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      say(element("p", { class: "problem", role: "alert" }, problem.message));
    } finally {
      button.disabled = false;
      form.querySelector("button:not([type])").focus();
    }
  }
  return element("li", { class: "card" }, form);
}

/** The run once it has ended. @param {Run} run @returns {Promise<Run>} */
async function whole(run) {
  while (run.state === "running") {
    await new Promise((resolve) => setTimeout(resolve, LOOK));
    run = await api("GET", `/publish/runs/${run.id}`);
  }
  if (run.state === "failed") throw new Problem(500, { detail: run.error });
  return run;
}

/** @param {Run} run @param {"would" | "did"} how */
function plan(run, how) {
  const parts = KINDS.filter((one) => run[one]?.count).map((one) => names(t(`publish.${one}`), /** @type {Names} */ (run[one])));
  const skipped = Object.entries(run.skipped);
  return [
    parts.length ? element("ul", {}, ...parts) : how === "would" ? element("p", {}, t("publish.same")) : "",
    run.unchanged ? element("p", { class: "soft small" }, count("publish.unchanged", run.unchanged)) : "",
    skipped.length ? element("ul", { class: "note warn" }, ...skipped.map(([one, why]) => element("li", {}, name(one), `: ${why}`))) : "",
    run.links.length ? element("details", {}, element("summary", {}, count("publish.links", run.links.length)),
      element("ul", {}, ...run.links.map((item) => element("li", { class: "linked" }, element("p", {}, name(item.title)), element("ul", { class: "soft small" }, ...item.links.map((link) => element("li", {}, link))))))) : "",
  ];
}

/** @param {string} title @param {Names} names */
function names(title, { count: all, names: first }) {
  const rest = all - first.length;
  return element("li", {}, element("details", {},
    element("summary", {}, title, " ", element("span", { class: "badge" }, String(all))),
    element("ul", { class: "names small" }, ...first.map((one) => element("li", {}, name(one))), rest > 0 ? element("li", { class: "soft" }, count("publish.rest", rest)) : null)));
}

/** @param {string} key @param {string | null} at */
const written = (key, at) => (at ? element("span", {}, t(key), " ", when(at, true)) : t("publish.never"));

/** @param {string} heading @param {string} lead @param {...Node} cards */
function section(heading, lead, ...cards) {
  return element("section", {}, element("h2", {}, heading), element("p", { class: "lead" }, lead), element("ul", { class: "cards" }, ...cards));
}

/** @param {string} key */
const missing = (key) => element("li", { class: "note" }, t(key), " ", element("code", {}, "episcribe.toml"));

load(byId("targets"), async () => {
  const set = await api("GET", "/publish");
  const source = element("select", { name: "source" }, ...["site", "library"].map((one) => element("option", { value: one }, t(`publish.source.${one}`))));
  return [
    section(t("publish.feeds"), t("publish.feeds.lead"), ...(set.base_url
      ? set.feeds.map((/** @type {any} */ one) => target(one.show, [element("code", {}, one.file), written("publish.written", one.published_at)], "/publish/feed", { show: one.show }, t("publish.feed.do")))
      : [missing("publish.base")]), set.base_url && !set.feeds.length ? element("li", { class: "note" }, t("publish.shows")) : ""),
    section(t("publish.site"), t("publish.site.lead"),
      target(t("publish.site.all"), [element("code", {}, set.site), written("publish.built", set.site_built_at)], "/publish/site", {}, t("publish.site.do"))),
    section(t("publish.files"), t("publish.files.lead"), set.files
      ? target(set.files, [], "/publish/files", {}, t("publish.files.do"), field(t("publish.source"), source, undefined, { class: "field narrow" }), element("div", { class: "field" }, check(t("publish.remove"), { name: "remove" })))
      : missing("publish.url")),
  ];
});
