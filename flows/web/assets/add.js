// What is to be processed: recordings from this computer, an address, or a show to follow.
import { api, byId, bytes, check, count, dialog, element, field, frame, icon, load, name, percent, Problem, submits, t, unique, when } from "./frame.js";
import { discard, kept, Upload } from "./uploads.js";

const form = /** @type {HTMLFormElement} */ (byId("add"));
/** @type {Upload[]} */
let uploads = [];
/** What shows an upload: its bar, what it says, and the row. @type {Map<Upload, {bar: HTMLProgressElement, told: HTMLElement, row: HTMLElement}>} */
const rows = new Map();

const kind = () => String(new FormData(form).get("kind"));

function showKind() {
  for (const part of /** @type {NodeListOf<HTMLFieldSetElement>} */ (form.querySelectorAll(".kind"))) {
    part.hidden = part.disabled = part.dataset.kind !== kind();
  }
  byId("send").textContent = t(kind() === "feed" ? "add.follow" : "add.send");
}

// Recordings

/** @param {Iterable<File>} files */
function take(files) {
  for (const file of files) {
    const upload = new Upload(file, () => told(upload));
    if (uploads.some((one) => one.print === upload.print)) continue;
    uploads.push(upload);
    const bar = element("progress", { max: file.size || 1, value: upload.sent, "aria-label": t("add.uploading", { name: file.name }) });
    const said = element("span", { class: "soft small numbers" });
    const row = element("li", {},
      element("div", { class: "split" },
        element("div", {}, element("p", {}, element("span", { class: "title" }, name(file.name)), " ", element("span", { class: "soft small numbers" }, bytes(file.size))), said),
        element("button", { type: "button", class: "quiet icon", "aria-label": t("add.remove", { name: file.name }), onclick: () => remove(upload) }, icon("close"))),
      bar);
    rows.set(upload, { bar, told: said, row });
    byId("uploads").append(row);
    told(upload);
  }
  /** @type {HTMLInputElement} */ (form.querySelector("[value=files]")).checked = true;
  showKind();
  several();
  unfinished();
  next();
}

/** Send one file at a time: what is there first can be processed first. */
function next() {
  if (uploads.some((one) => one.state === "sending" || one.state === "interrupted")) return;
  uploads.find((one) => one.state === "waiting")?.start().then(next);
}

/** @param {Upload} upload */
function told(upload) {
  form.dispatchEvent(new Event("moved"));
  const shown = rows.get(upload);
  if (!shown) return;
  shown.bar.value = upload.sent;
  shown.bar.hidden = ["sent", "failed"].includes(upload.state);
  const done = upload.file.size ? upload.sent / upload.file.size : 1;
  shown.told.textContent = upload.state === "failed" ? upload.problem : t(`add.state.${upload.state}`, { share: percent(done) });
  shown.told.classList.toggle("bad", upload.state === "failed");
}

/** @param {Upload} upload */
function remove(upload) {
  const row = rows.get(upload)?.row;
  const focus = row?.nextElementSibling ?? row?.previousElementSibling;
  rows.delete(upload);
  row?.remove();
  uploads = uploads.filter((one) => one !== upload);
  upload.cancel();
  form.dispatchEvent(new Event("moved"));
  several();
  /** @type {HTMLElement | null} */ (focus?.querySelector("button") ?? byId("choose"))?.focus();
}

/** Uploads of an earlier visit: their files must be chosen again, which browsers ask for. */
function unfinished() {
  const open = Object.entries(kept()).filter(([print]) => !uploads.some((one) => one.print === print));
  byId("unfinished").replaceChildren(...open.map(([print, one]) => element("li", { class: "split" },
    element("div", {},
      element("p", { class: "title" }, name(one.name)),
      element("p", { class: "soft small" }, t("add.unfinished", { share: percent(one.size ? one.sent / one.size : 1) }))),
    element("div", { class: "actions" },
      element("button", { type: "button", onclick: () => byId("choose").click() }, t("add.again")),
      element("button", { type: "button", class: "quiet", onclick: async () => { await discard(print); unfinished(); byId("choose").focus(); } }, t("add.discard"))))));
}

/** With several files: whether they are episodes, or one episode's tracks, and whose those are. */
function several() {
  const place = byId("several"), before = new Map([...new FormData(form)].map(([key, value]) => [key, String(value)]));
  place.hidden = uploads.length < 2;
  if (uploads.length < 2) return place.replaceChildren();
  const together = before.get("together") === "yes";
  const radio = (/** @type {string} */ value, /** @type {string} */ text, /** @type {boolean} */ checked) =>
    element("label", { class: "check" }, element("input", { type: "radio", name: "together", value, checked, onchange: several }), element("span", {}, text));
  const focused = /** @type {HTMLInputElement | null} */ (place.querySelector(":focus"))?.value;
  place.replaceChildren(
    element("fieldset", {}, element("legend", {}, t("add.together")), radio("no", t("add.apart"), !together), radio("yes", t("add.tracks"), together)),
    together
      ? element("div", { class: "narrow part" },
        field(t("add.title"), element("input", { name: "title", required: true, value: before.get("title"), autocomplete: "off", dir: "auto" })),
        ...uploads.map((one) => field(t("add.who", { name: one.file.name }), element("input", { name: one.key, value: before.get(one.key), autocomplete: "off", dir: "auto" }), t("add.who.hint"))))
      : "");
  if (focused) /** @type {HTMLElement | null} */ (place.querySelector(`[value="${focused}"]`))?.focus();
}

function dropping() {
  let inside = 0;
  const files = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  const over = (/** @type {boolean} */ on) => { byId("over").hidden = !on; };
  addEventListener("dragenter", (event) => { if (files(event)) over(++inside > 0); });
  addEventListener("dragleave", (event) => { if (files(event)) over(--inside > 0); });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    over((inside = 0) > 0);
    take(event.dataTransfer?.files ?? []);
  });
  byId("choose").addEventListener("change", (/** @type {any} */ event) => { take(event.target.files); event.target.value = ""; });
  addEventListener("beforeunload", (event) => { if (uploads.some((one) => !["sent", "failed"].includes(one.state))) event.preventDefault(); });
}

// Options

/** @type {any[]} */
let options = [];

/** @param {any} option of the API */
function control(option) {
  const { name: key, type, choices } = option, label = t(`add.option.${key}`), help = t(`add.help.${key}`);
  const shown = element("span", {}, help, " ", element("code", {}, `--${key.replaceAll("_", "-")}`));
  if (type === "flag") return element("div", { class: "field" }, check(label, { name: `option-${key}`, value: "true" }), element("p", { class: "hint" }, shown));
  const usual = option.default === null || option.default.length === 0 ? "" : t("add.default", { value: option.default });
  if (type === "choice") return field(label, element("select", { name: `option-${key}` }, element("option", { value: "" }, usual || t("add.usual")), ...choices.map((/** @type {string} */ one) => element("option", { value: one }, one))), shown);
  return field(label, element("input", { type: type === "number" ? "number" : "text", min: type === "number" ? 1 : undefined, name: `option-${key}`, placeholder: usual, autocomplete: "off", spellcheck: "false" }), shown);
}

/** @param {Record<string, any>} values of the form */
function chosen(values) {
  const set = options.filter(({ name: key }) => values[`option-${key}`]);
  return Object.fromEntries(set.map(({ name: key, type }) => {
    const value = values[`option-${key}`];
    return [key, type === "flag" ? true : type === "number" ? Number(value) : value];
  }));
}

// Sending

/** The same for each try of what is one wish. */
let wish = unique();

/** @param {Record<string, any>} values */
async function send(values) {
  const body = { options: chosen(values) };
  if (values.kind === "feed") return follow(values, body.options);
  if (values.kind === "address") Object.assign(body, { source: values.source });
  else Object.assign(body, await sent(values));
  await api("POST", "/queue", body, { "Idempotency-Key": wish });
  for (const one of uploads) one.used();
  uploads = [];
  location.assign(`${frame.base}/queue`);
}

/** The uploads, once all are there. @param {Record<string, any>} values */
async function sent(values) {
  if (!uploads.length) throw new Problem(0, { detail: t("add.none") });
  byId("state").textContent = t("add.waits");
  await new Promise((resolve) => {
    const look = () => uploads.every((one) => ["sent", "failed"].includes(one.state)) && resolve(undefined);
    form.addEventListener("moved", look);
    look();
  });
  byId("state").textContent = "";
  if (uploads.some((one) => one.state === "failed")) throw new Problem(0, { detail: t("add.failed") });
  const together = values.together === "yes";
  const names = Object.fromEntries(uploads.filter((one) => values[one.key]).map((one) => [one.id, values[one.key]]));
  return { uploads: uploads.map((one) => one.id), together, ...(together ? { title: values.title, names } : {}) };
}

/** Which of a show's episodes are taken, as far as that is said. @param {Record<string, any>} values */
function rules(values) {
  const listed = (/** @type {string} */ text) => text.split(",").map((one) => one.trim()).filter(Boolean);
  return {
    title_has: listed(values.title_has),
    title_lacks: listed(values.title_lacks),
    ...(values.types ? { types: listed(values.types) } : {}),
    min_minutes: Number(values.min_minutes) || null,
    max_minutes: Number(values.max_minutes) || null,
  };
}

/** Follow a show, once the user has seen what would be taken. @param {Record<string, any>} values @param {Record<string, any>} wanted */
async function follow(values, wanted) {
  const order = { url: values.feed, name: values.show ?? "", back_fill: Number(values.back_fill) || 0, options: wanted, rules: rules(values) };
  byId("state").textContent = t("add.feed.reads");
  const seen = await api("POST", "/feeds/preview", order).finally(() => { byId("state").textContent = ""; });
  const form = element("form", {}, element("p", { class: "actions" },
    element("button", { type: "button", onclick: () => opened.close() }, t("frame.cancel")), element("button", { class: "primary" }, t("add.follow"))));
  const opened = dialog(
    element("h2", {}, name(seen.title || seen.name)),
    element("p", {}, count("add.feed.has", seen.episodes), " ", seen.passed_over ? `${count("add.feed.passed", seen.passed_over)} ` : "", seen.taken.length ? count("add.feed.takes", seen.taken.length) : t("add.feed.waits")),
    element("ul", { class: "rows taken" }, ...seen.taken.map((/** @type {any} */ one) => element("li", {}, element("p", {}, name(one.title)), element("p", { class: "facts" }, one.published && when(one.published))))),
    form);
  submits(form, async () => {
    await api("POST", "/feeds", order, { "Idempotency-Key": wish });
    location.assign(`${frame.base}/queue`);
  });
}

byId("address").append(field(t("add.source"), element("input", { type: "url", name: "source", required: true, inputmode: "url", autocomplete: "off", placeholder: "https://" }), t("add.source.hint")));
byId("feed").append(
  field(t("add.feed.address"), element("input", { type: "url", name: "feed", required: true, inputmode: "url", autocomplete: "off", placeholder: "https://" }), t("add.feed.hint")),
  field(t("add.feed.name"), element("input", { name: "show", autocomplete: "off" }), t("add.feed.name.hint")),
  field(t("add.feed.fill"), element("input", { type: "number", name: "back_fill", min: 0, value: 1 }), t("add.feed.fill.hint")),
  element("details", {}, element("summary", {}, t("add.rules")),
    field(t("add.rules.has"), element("input", { name: "title_has", autocomplete: "off" }), t("add.rules.titles.hint")),
    field(t("add.rules.lacks"), element("input", { name: "title_lacks", autocomplete: "off" }), t("add.rules.titles.hint")),
    field(t("add.rules.types"), element("select", { name: "types" }, element("option", { value: "" }, t("add.rules.types.all")), ...["full,bonus", "full"].map((one) => element("option", { value: one }, t(`add.rules.types.${one}`))))),
    field(t("add.rules.min"), element("input", { type: "number", name: "min_minutes", min: 0, step: "any" })),
    field(t("add.rules.max"), element("input", { type: "number", name: "max_minutes", min: 0, step: "any" }))));
form.addEventListener("change", (event) => { wish = unique(); if (/** @type {any} */ (event.target).name === "kind") showKind(); });
submits(form, send);
const asked = /** @type {HTMLInputElement | null} */ (form.querySelector(`[name=kind][value="${CSS.escape(new URLSearchParams(location.search).get("kind") ?? "")}"]`));
if (asked) asked.checked = true;
dropping();
unfinished();
showKind();
load(byId("options").appendChild(element("div")), async () => {
  options = await api("GET", "/options");
  return [element("div", { class: "options" }, ...options.map(control))];
});
