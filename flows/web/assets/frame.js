// What every page has: the texts in the user's language, who calls, and the API.

/**
 * @typedef {{base: string, caller: {name: string, role: string}, csrf: string, language: string, languages: string[],
 *   texts: Record<string, string>}} Frame
 */

/** @type {Frame} */
export const frame = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("frame")).textContent || "");

/**
 * The text of a key in the user's language, {names} in it replaced.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return (frame.texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * The text for a number of things: the plural form of `key` by the rules of the language ("library.found.one", ".other").
 * @param {string} key
 * @param {number} count
 */
export function count(key, count) {
  const form = new Intl.PluralRules(frame.language).select(count);
  return t(`${key}.${form}`, { count: new Intl.NumberFormat(frame.language).format(count) });
}

/**
 * A failure that the API told (RFC 9457), or a page itself, whose words have no `type`; `status` 0 where the API could not
 * be reached. The message is in the user's language.
 */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} told */
  constructor(status, told) {
    super(inWords(status, told));
    this.status = status;
    this.told = told;
  }

  /** What programs tell it by: "conflict"; "" for nothing more than its status. */
  get kind() {
    return kindOf(this.told);
  }
}

/** @param {Record<string, any>} told */
const kindOf = (told) => String(told.type ?? "").replace(/^urn:episcribe:problem:|^about:blank$/, "");

/** @param {number} status @param {Record<string, any>} told */
function inWords(status, told) {
  if (told.detail && !told.type) return told.detail;
  if (!status) return t("problem.unreachable");
  const detail = told.detail || told.title || String(status);
  const key = [`problem.kind.${kindOf(told)}`, `problem.status.${status}`].find((one) => one in frame.texts);
  return t(key ?? "problem.other", { detail });
}

/**
 * Ask the API. Throws a Problem. Where the session is another one than that of this page, which the same user began
 * in another tab, it is asked again in that one.
 * @param {string} method
 * @param {string} path below /api/v1, with its slash
 * @param {any} [body] sent as JSON
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>} what it answers, null for nothing
 */
export async function api(method, path, body, headers = {}) {
  try {
    return await asked(method, path, body, headers);
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.kind !== "csrf") throw problem;
    const me = await asked("GET", "/me");
    if (me.name !== frame.caller.name) throw new Problem(401, {});
    frame.csrf = me.csrf;
    return asked(method, path, body, headers);
  }
}

/** @param {string} method @param {string} path @param {any} [body] @param {Record<string, string>} [headers] */
async function asked(method, path, body, headers = {}) {
  const sent = { ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (method !== "GET") sent["X-CSRF-Token"] = frame.csrf;
  let answer;
  try {
    answer = await fetch(`${frame.base}/api/v1${path}`, {
      method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin",
    });
  } catch {
    throw new Problem(0, {});
  }
  const told = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, told ?? {});
  return told;
}

/**
 * An element with attributes, listeners (on...) and children; text is text, never markup.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child != null).map((child) => /** @type {Node | string} */ (child)));
  return made;
}

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds)), two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

const ROLES = ["reader", "editor", "admin"]; // each may do what those before it may

/** Whether the caller has at least this role. @param {"reader" | "editor" | "admin"} role */
export const may = (role) => ROLES.indexOf(frame.caller.role) >= ROLES.indexOf(role);

/** The element of this id, which the page has. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * The address of an episode's page, at a second where one is given.
 * @param {string} episode "show/episode"
 * @param {number} [seconds]
 */
export function episodeAddress(episode, seconds) {
  const path = episode.split("/").map(encodeURIComponent).join("/");
  return `${frame.base}/episodes/${path}${seconds === undefined ? "" : `#t=${Math.round(seconds * 1000) / 1000}`}`;
}

const SHAPES = {
  add: "M12 5v14M5 12h14", close: "M6 6l12 12M18 6L6 18", up: "M6 14l6-6 6 6", down: "M6 10l6 6 6-6",
  first: "M6 5h12M7 15l5-5 5 5M12 10v9", again: "M20 5v5h-5M19.4 10A8 8 0 1 0 20 14", copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  play: "M7 5l12 7-12 7z", pause: "M8 5v14M16 5v14", search: "M11 4a7 7 0 1 0 .01 0M16 16l5 5", check: "M5 12l5 5 9-10",
  file: "M7 3h7l4 4v14H7zM14 3v4h4", download: "M12 4v11M7 11l5 5 5-5M5 20h14", upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
};

/** A small drawing beside or in place of a text; it is hidden from screen readers. @param {keyof typeof SHAPES} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg"), path = document.createElementNS(space, "path");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  made.append(path);
  return made;
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => new Intl.NumberFormat(frame.language, options).format(value);

/** @param {number} share 0 to 1 */
export const percent = (share) => number(share, { style: "percent", maximumFractionDigits: 0 });

/** How long something takes, to two units: "1 hr, 5 min". @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds)), minutes = Math.round(whole / 60);
  const unit = (/** @type {number} */ value, /** @type {string} */ name) => number(value, { style: "unit", unit: name, unitDisplay: "short" });
  if (whole < 60) return unit(whole, "second");
  if (minutes < 60) return unit(minutes, "minute");
  const parts = [unit(Math.floor(minutes / 60), "hour"), ...(minutes % 60 ? [unit(minutes % 60, "minute")] : [])];
  return new Intl.ListFormat(frame.language, { type: "unit", style: "short" }).format(parts);
}

/** @param {number} count of bytes */
export function bytes(count) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return number(count / 1000 ** step, { style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step > 1 ? 1 : 0 });
}

/**
 * A day, with the time where `time` is set, as a <time>. Days without a time are those of UTC, as they were published.
 * @param {string | number} at ISO 8601, or seconds since 1970
 * @param {boolean} [time]
 */
export function when(at, time = false) {
  const moment = new Date(typeof at === "number" ? at * 1000 : at);
  if (Number.isNaN(moment.getTime())) return null;
  /** @type {Intl.DateTimeFormatOptions} */
  const options = time ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium", timeZone: "UTC" };
  return element("time", { datetime: time ? moment.toISOString() : moment.toISOString().slice(0, 10) }, new Intl.DateTimeFormat(frame.language, options).format(moment));
}

/** Have screen readers say something once, when they have time for it. @param {string} text */
export function announce(text) {
  byId("said").textContent = text;
}

/** Names from outside, which may be written from right to left, in a line of ours. @param {string} text */
export const name = (text) => element("bdi", {}, text);

/**
 * Listen to server-sent events, and come back when the connection is lost or refused, ever more slowly up to half a
 * minute. Each handler gets the data of its event. Returns what ends it.
 * @param {string} path below /api/v1
 * @param {Record<string, (data: any) => void>} handlers
 * @param {(connected: boolean) => void} [state] told when the connection comes and goes
 */
export function events(path, handlers, state = () => {}) {
  /** @type {EventSource | undefined} */
  let source;
  let pause = 1000, timer = 0, ended = false;
  function open() {
    if (ended) return;
    const opened = (source = new EventSource(`${frame.base}/api/v1${path}`));
    for (const [kind, handle] of Object.entries(handlers)) {
      opened.addEventListener(kind, (event) => handle(JSON.parse(/** @type {MessageEvent} */ (event).data)));
    }
    opened.addEventListener("open", () => { pause = 1000; state(true); });
    opened.addEventListener("error", () => {
      state(false);
      opened.close();
      clearTimeout(timer);
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, 30_000);
    });
  }
  const close = () => { source?.close(); clearTimeout(timer); }, listening = new AbortController(), { signal } = listening;
  addEventListener("pagehide", close, { signal });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); }, { signal });
  addEventListener("online", () => { if (source?.readyState === EventSource.CLOSED) { clearTimeout(timer); open(); } }, { signal });
  open();
  return () => { ended = true; listening.abort(); close(); };
}

/**
 * Fill a place with what `work` makes of the API's answer; until then, and where it fails, the place says so.
 * @param {HTMLElement} place
 * @param {() => Promise<(Node | string)[]>} work
 */
export async function load(place, work) {
  const waits = setTimeout(() => place.replaceChildren(element("p", { class: "loading" }, t("frame.loading"))), 300);
  place.setAttribute("aria-busy", "true");
  try {
    place.replaceChildren(...(await work()));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const again = element("button", { type: "button", onclick: () => load(place, work) }, icon("again"), t("frame.retry"));
    place.replaceChildren(element("div", { class: "note bad", role: "alert" }, element("p", {}, problem.message), element("p", { class: "actions" }, again)));
  } finally {
    clearTimeout(waits);
    place.removeAttribute("aria-busy");
  }
}

/**
 * All items of a list of the API, page by page, at most `most`.
 * @param {string} path below /api/v1; its query may be there already
 * @param {number} [most]
 * @returns {Promise<any[]>}
 */
export async function all(path, most = 10_000) {
  const items = [];
  let cursor = "";
  do {
    const page = await api("GET", `${path}${path.includes("?") ? "&" : "?"}limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.next ?? "";
  } while (cursor && items.length < most);
  return items;
}

/**
 * A list of the API, shown a page at a time: `show` shows the list at a path, instead of what was there.
 * @param {HTMLElement} list its items go there; a button for more and what fails come after it
 * @param {(item: any, previous: any) => Node | string} item makes an item's element; it is told the item before, too
 * @param {(page: any) => void} [shown] told of each first page
 * @returns {{show: (path: string) => Promise<void>, clear: () => void}}
 */
export function listing(list, item, shown) {
  const more = element("button", { type: "button", class: "more", hidden: true }, t("frame.more"));
  const problem = element("p", { class: "problem", role: "alert" });
  list.after(problem, more);
  /** @type {any} */
  let last;
  let asked = 0; // answers to what was asked before that come late, are dropped
  async function show(/** @type {string} */ path, cursor = "") {
    const mine = ++asked;
    if (!cursor) last = undefined;
    problem.textContent = "";
    list.setAttribute("aria-busy", "true");
    try {
      const page = await api("GET", path + (cursor && `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`));
      if (mine !== asked) return;
      const made = page.items.map((/** @type {any} */ one, /** @type {number} */ place) => item(one, place ? page.items[place - 1] : last));
      last = page.items.at(-1) ?? last;
      const focused = list.contains(document.activeElement) && document.activeElement?.getAttribute("href");
      if (cursor) list.append(...made);
      else list.replaceChildren(...made);
      if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
      more.hidden = !page.next;
      more.onclick = async () => { await show(path, page.next); };
      if (!cursor) shown?.(page);
      else made.find((/** @type {any} */ one) => one.querySelector)?.querySelector("a, button")?.focus();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === asked) problem.textContent = error.message;
    } finally {
      if (mine === asked) list.removeAttribute("aria-busy");
    }
  }
  function clear() {
    asked++;
    list.replaceChildren();
    more.hidden = true;
  }
  return { show: (path) => show(path), clear };
}

/** Do `work` once nothing has called for a moment. @param {() => void} work @param {number} [milliseconds] */
export function soon(work, milliseconds = 200) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(work, milliseconds); };
}

/** A query string with what is set in `values`: "?q=a", or "". @param {Record<string, any>} values */
export function query(values) {
  const set = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return set.size ? `?${set}` : "";
}

/** What names one request or edit for good. `crypto.randomUUID` is there with https only. */
export function unique() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** @type {any} */
const scheduler = window; // Safari has no idle callbacks

/** Do something once the browser has time for it. Returns what `cancelIdle` takes. @param {() => void} work @param {number} [most] ms to wait */
export const idle = (work, most = 2000) =>
  /** @type {number} */ (scheduler.requestIdleCallback ? scheduler.requestIdleCallback(work, { timeout: most }) : setTimeout(work, 50));

/** @param {number} waiting */
export const cancelIdle = (waiting) => (scheduler.cancelIdleCallback ?? clearTimeout)(waiting);

/** What the browser keeps for this app; null where it keeps nothing. */
export const storage = {
  /** @param {string} name @returns {string | null} */
  get(name) { try { return localStorage.getItem(`episcribe-${name}`); } catch { return null; } },
  /** @param {string} name @param {string | null} value null removes it */
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`episcribe-${name}`);
      else localStorage.setItem(`episcribe-${name}`, value);
    } catch { /* no storage */ }
  },
};

let made = 0;

/**
 * A control with its label, a hint, and the place for what is wrong with it.
 * @param {string} label
 * @param {HTMLElement} control an input, select or textarea with a name
 * @param {string | Node} [hint]
 * @param {Record<string, any>} [attributes] of what holds them
 */
export function field(label, control, hint, attributes = {}) {
  control.id ||= `field-${++made}`;
  const about = hint ? element("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  const problem = element("p", { class: "problem", id: `${control.id}-problem` });
  control.setAttribute("aria-describedby", [about?.id, problem.id].filter(Boolean).join(" "));
  return element("div", { class: "field", ...attributes }, element("label", { for: control.id }, label), control, about, problem);
}

/** @param {string} label @param {Record<string, any>} attributes of the checkbox */
export function check(label, attributes) {
  return element("label", { class: "check" }, element("input", { type: "checkbox", ...attributes }), element("span", {}, label));
}

/** @param {any} control @param {string} text; "" for nothing wrong */
export function mark(control, text) {
  if (text) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
  const place = byId(`${control.id}-problem`);
  if (place) place.textContent = text;
}

/**
 * Have a form do `work` when it is sent: what is wrong is told beside the field and to screen readers, and nobody sends
 * it twice. A field that the API names in `errors` ({name: text}) of its problem is marked; the rest is told above the buttons.
 * @param {HTMLFormElement} form
 * @param {(values: Record<string, any>, form: HTMLFormElement) => Promise<any>} work
 */
export function submits(form, work) {
  form.noValidate = true;
  const told = element("p", { class: "problem", role: "alert" });
  (form.querySelector(":scope > .actions") ?? form.lastElementChild)?.before(told);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.textContent = "";
    const controls = /** @type {HTMLInputElement[]} */ ([...form.elements].filter((one) => "name" in one && one.name && one.id));
    const bad = controls.filter((one) => one.willValidate && !one.validity.valid);
    for (const one of controls) mark(one, bad.includes(one) ? wrong(one) : "");
    const first = bad[0];
    if (first) return first.focus();
    const buttons = /** @type {HTMLButtonElement[]} */ ([...form.querySelectorAll("button:not([type=button], :disabled)")]);
    for (const one of buttons) one.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      await work(Object.fromEntries(new FormData(form)), form);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const named = controls.filter((one) => problem.told.errors?.[one.name]);
      const said = (/** @type {string} */ detail) => (problem.told.type ? t("problem.field", { detail }) : detail);
      for (const one of named) mark(one, said(problem.told.errors[one.name]));
      if (!named.length) told.textContent = problem.message;
      named[0]?.focus();
    } finally {
      for (const one of buttons) one.disabled = false;
      form.removeAttribute("aria-busy");
    }
  });
}

/** What is wrong with a control, in the language of the page instead of the browser's. @param {HTMLInputElement} control */
function wrong(control) {
  const { valueMissing, typeMismatch, tooShort } = control.validity;
  if (valueMissing) return t("problem.missing");
  if (typeMismatch && control.type === "url") return t("problem.address");
  if (tooShort) return t("problem.short", { count: control.minLength });
  return t("problem.value");
}

/**
 * Open a dialog with these contents; it is gone once it is closed. The first heading in it is its name.
 * @param {...(Node | string | null)} children
 * @returns {HTMLDialogElement}
 */
export function dialog(...children) {
  /** @type {HTMLDialogElement} */
  const opened = element("dialog", { onclose: () => opened.remove() }, ...children);
  const heading = opened.querySelector("h2");
  if (heading) {
    heading.id ||= `field-${++made}`;
    opened.setAttribute("aria-labelledby", heading.id);
  }
  document.body.append(opened);
  opened.showModal();
  return opened;
}

/**
 * Ask before something is done; true for yes.
 * @param {string} title
 * @param {string} text
 * @param {string} action what the button that does it says
 * @param {{danger?: boolean}} [how]
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, action, { danger = false } = {}) {
  return new Promise((resolve) => {
    const opened = dialog(
      element("h2", {}, title),
      element("p", {}, text),
      element("form", { method: "dialog", class: "actions" },
        element("button", { value: "" }, t("frame.cancel")),
        element("button", { value: "yes", class: danger ? "danger" : "primary" }, action)),
    );
    opened.addEventListener("close", () => resolve(opened.returnValue === "yes"));
  });
}
