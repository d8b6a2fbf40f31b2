// What every page has: the texts in the user's language, who calls, and the API.

/** @typedef {{base: string, caller: {name: string, role: string}, csrf: string, language: string, texts: Record<string, string>}} Frame */

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
 * The text for a number of things: the plural form of `key` by the rules of the language ("queue.files.one", ".other").
 * @param {string} key
 * @param {number} count
 */
export function count(key, count) {
  const form = new Intl.PluralRules(frame.language).select(count);
  return t(`${key}.${form}`, { count: new Intl.NumberFormat(frame.language).format(count) });
}

/** A failure that the API told (RFC 9457); `status` 0 where it could not be reached. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} told */
  constructor(status, told) {
    super(told.detail || told.title || t("problem.unreachable"));
    this.status = status;
    this.told = told;
  }
}

/**
 * Ask the API. Throws a Problem.
 * @param {string} method
 * @param {string} path below /api/v1, with its slash
 * @param {any} [body] sent as JSON
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>} what it answers, null for nothing
 */
export async function api(method, path, body, headers = {}) {
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
  if (!answer.ok) throw new Problem(answer.status, told);
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
