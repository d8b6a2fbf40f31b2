// The caller's own account and tokens; followed shows, webhooks and users for those who may.
import { all, announce, api, byId, check, confirmed, count, dialog, element, field, frame, icon, load, mark, may, name, Problem, storage, submits, t, when } from "./frame.js";

const OWNER = "owner"; // who started the app on their own machine, and signs in with the token of its address
const ROLES = ["reader", "editor", "admin"];
const SHORTEST = 10; // characters of a password

/** @param {string} id */
const body = (id) => /** @type {HTMLElement} */ (byId(id)?.querySelector(".body"));

/** @param {string} text @param {() => any} work @param {string} [kind] */
const button = (text, work, kind = "") => element("button", { type: "button", class: kind, onclick: work }, text);

/**
 * A list with what can be done to each item; `refresh` reads it anew.
 * @param {string} id of the section
 * @param {string} path
 * @param {string} none what is said of an empty list
 * @param {(item: any, refresh: () => Promise<void>) => HTMLElement} row
 */
function list(id, path, none, row) {
  const place = element("div");
  const refresh = () => load(place, async () => {
    const items = await all(path);
    return [items.length ? element("ul", { class: "rows" }, ...items.map((one) => row(one, refresh))) : element("p", { class: "soft" }, none)];
  });
  body(id).append(place);
  return { refresh, place };
}

/**
 * Ask, remove, and read the list anew.
 * @param {string} title
 * @param {string} text
 * @param {string} path
 * @param {() => Promise<void>} refresh
 * @param {string} [action]
 */
async function remove(title, text, path, refresh, action = t("settings.remove")) {
  if (!(await confirmed(title, text, action, { danger: true }))) return;
  try {
    await api("DELETE", path);
    await refresh();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    failed(problem);
  }
}

/** @param {Problem} problem */
function failed(problem) {
  dialog(element("h2", {}, t("settings.failed")), element("p", {}, problem.message),
    element("form", { method: "dialog", class: "actions" }, element("button", { class: "primary" }, t("settings.close"))));
}

/**
 * A dialog with a form; it closes once `work` has done what it is for.
 * @param {string} title
 * @param {HTMLElement[]} fields
 * @param {string} action
 * @param {(values: Record<string, any>) => Promise<any>} work
 */
function asked(title, fields, action, work) {
  const form = element("form", {}, ...fields, element("p", { class: "actions" }, button(t("frame.cancel"), () => opened.close()), element("button", { class: "primary" }, action)));
  const opened = dialog(element("h2", {}, title), form);
  submits(form, async (values) => {
    await work(values);
    opened.close();
  });
}

/** A secret that is told once, to be copied. @param {string} title @param {string} text @param {string} secret */
function told(title, text, secret) {
  const shown = element("input", { readonly: true, value: secret, "aria-label": title, class: "secret", onfocus: () => shown.select() });
  const copied = element("span", { role: "status", class: "soft" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
    } catch {
      shown.select();
      document.execCommand("copy");
    }
    copied.textContent = t("settings.copied");
  };
  dialog(element("h2", {}, title), element("p", {}, text), shown,
    element("form", { method: "dialog", class: "actions" }, copied,
      element("button", { type: "button", onclick: copy }, icon("copy"), t("settings.copy")), element("button", { class: "primary" }, t("settings.close"))));
}

/** @param {string} key @param {Record<string, any>} [more] */
const password = (key, more) => element("input", { type: "password", name: key, required: true, ...more });
const newPassword = () => field(t("settings.password.new"), password("password", { autocomplete: "new-password", minlength: SHORTEST }), t("settings.password.hint", { count: SHORTEST }));

/** @param {string} chosen */
const roles = (chosen) => ROLES.map((one) => element("option", { value: one, selected: one === chosen }, t(`settings.role.${one}`)));

function you() {
  const languages = new Intl.DisplayNames(frame.language, { type: "language" });
  const named = (/** @type {string} */ code) => element("option", { value: code, lang: code, selected: code === frame.language }, new Intl.DisplayNames(code, { type: "language" }).of(code) ?? languages.of(code));
  const language = element("select", { onchange: async () => {
    try {
      await api("PATCH", "/me", { language: language.value });
      location.reload();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      mark(language, problem.message);
    }
  } }, ...frame.languages.map(named));
  const theme = element("select", { onchange: () => {
    storage.set("theme", theme.value || null);
    if (theme.value) document.documentElement.dataset.theme = theme.value;
    else delete document.documentElement.dataset.theme;
  } }, ...["", "light", "dark"].map((one) => element("option", { value: one, selected: (storage.get("theme") ?? "") === one }, t(`settings.theme.${one || "system"}`))));
  const signOut = async () => { await api("POST", "/logout").catch(() => {}); location.assign(`${frame.base}/login`); };
  const owner = frame.caller.name === OWNER;
  body("you").append(
    element("p", { class: "split who" }, element("span", {}, owner ? t("settings.owner") : t("settings.who", { name: frame.caller.name, role: t(`settings.role.${frame.caller.role}`) })), owner ? null : button(t("settings.out"), signOut)),
    element("div", { class: "pair" }, field(t("settings.language"), language), field(t("settings.theme"), theme)),
    owner ? "" : element("p", {}, button(t("settings.password"), changePassword)));
}

function changePassword() {
  asked(t("settings.password"), [field(t("settings.password.old"), password("old", { autocomplete: "current-password" })), newPassword()], t("settings.password.do"), async (values) => {
    try {
      ({ csrf: frame.csrf } = await api("PATCH", "/me", values));
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 403) throw new Problem(403, { errors: { old: t("settings.password.wrong") } });
      throw problem;
    }
    announce(t("settings.password.done"));
  });
}

function tokens() {
  if (frame.caller.name === OWNER) return body("tokens").append(element("p", { class: "note" }, t("settings.tokens.owner"), " ", element("code", {}, "episcribe users add NAME")));
  const { refresh } = list("tokens", "/tokens", t("settings.tokens.none"), (one, refresh) => element("li", { class: "split" },
    element("div", {},
      element("p", { class: "title" }, name(one.label)),
      element("p", { class: "facts" }, element("span", {}, t("settings.made"), " ", when(one.created_at, true)), element("span", {}, ...(one.used_at ? [t("settings.used"), " ", /** @type {Node} */ (when(one.used_at, true))] : [t("settings.unused")])))),
    button(t("settings.remove"), () => remove(t("settings.tokens.remove", { name: one.label }), t("settings.tokens.remove.text"), `/tokens/${one.id}`, refresh), "danger")));
  body("tokens").append(element("p", { class: "more" }, button(t("settings.tokens.new"), () => {
    asked(t("settings.tokens.new"), [field(t("settings.tokens.label"), element("input", { name: "label", required: true, maxlength: 100, autocomplete: "off" }), t("settings.tokens.hint"))], t("settings.tokens.do"), async (values) => {
      const made = await api("POST", "/tokens", values);
      told(t("settings.tokens.made", { name: made.label }), t("settings.tokens.once"), made.token);
      refresh();
    });
  })));
  refresh();
}

function shows() {
  const { refresh } = list("shows", "/feeds", t("settings.shows.none"), (one, refresh) => element("li", { class: "split" },
    element("div", {},
      element("p", { class: "title" }, name(one.title)),
      element("p", { class: "facts" }, element("span", {}, count("settings.shows.episodes", one.episodes)), one.polled_at && element("span", {}, t("settings.shows.polled"), " ", when(one.polled_at, true))),
      element("p", { class: "soft small" }, one.url),
      one.ended_at ? element("p", { class: "problem" }, t("settings.shows.ended"), " ", when(one.ended_at, true)) : one.error ? element("p", { class: "problem" }, one.error) : null),
    button(t("settings.shows.remove.do"), () => remove(t("settings.shows.remove", { name: one.title }), t("settings.shows.remove.text"), `/feeds/${encodeURIComponent(one.name)}`, refresh, t("settings.shows.remove.do")), "danger")));
  body("shows").append(element("p", { class: "more" }, element("a", { class: "button", href: `${frame.base}/add?kind=feed` }, t("settings.shows.add"))));
  refresh();
}

const EVENTS = ["done", "failed"]; // of episodes
const BADGES = /** @type {Record<string, string>} */ ({ delivered: "good", failed: "bad", waiting: "busy" });

function webhooks() {
  const { refresh } = list("webhooks", "/webhooks", t("settings.webhooks.none"), (one, refresh) => {
    const deliveries = element("details", { class: "small", ontoggle: () => { if (deliveries.open && !listed.childElementCount) load(listed, () => delivered(one.id)); } },
      element("summary", {}, t("settings.webhooks.deliveries")));
    const listed = deliveries.appendChild(element("div"));
    return element("li", {},
      element("div", { class: "split" },
        element("div", {},
          element("p", { class: "title" }, one.url),
          element("p", { class: "facts" }, ...EVENTS.filter((event) => one.events.includes(`episode.${event}`)).map((event) => element("span", {}, t(`queue.state.${event}`))), element("span", {}, t("settings.made"), " ", when(one.created_at, true)), one.created_by === frame.caller.name ? null : name(one.created_by))),
        button(t("settings.remove"), () => remove(t("settings.webhooks.remove"), one.url, `/webhooks/${one.id}`, refresh), "danger")),
      deliveries);
  });
  body("webhooks").append(element("p", { class: "more" }, button(t("settings.webhooks.add"), () => {
    asked(t("settings.webhooks.add"), [
      field(t("settings.webhooks.url"), element("input", { type: "url", name: "url", required: true, autocomplete: "off", placeholder: "https://" }), t("settings.webhooks.url.hint")),
      element("fieldset", { class: "field" }, element("legend", {}, t("settings.webhooks.events")), ...EVENTS.map((one) => check(t(`settings.webhooks.event.${one}`), { name: one, checked: true }))),
    ], t("settings.webhooks.do"), async (values) => {
      const made = await api("POST", "/webhooks", { url: values.url, events: EVENTS.filter((one) => values[one]).map((one) => `episode.${one}`) });
      told(t("settings.webhooks.made"), t("settings.webhooks.once"), made.secret);
      refresh();
    });
  })));
  refresh();
}

/** What a webhook was told lately. @param {string} id */
async function delivered(id) {
  const { items } = await api("GET", `/webhooks/${id}/deliveries?limit=50`);
  if (!items.length) return [element("p", { class: "soft" }, t("settings.webhooks.nothing"))];
  return [element("ul", {}, ...items.map((/** @type {any} */ one) => element("li", { class: "delivery" },
    element("span", { class: `badge ${BADGES[one.state]}` }, t(`settings.webhooks.state.${one.state}`)), " ",
    t(`settings.webhooks.told.${one.event.split(".")[1]}`), " ", when(one.created_at, true),
    element("span", { class: "soft" }, ` ${count("settings.webhooks.attempts", one.attempts)} ${one.answer}`))))];
}

function users() {
  const { refresh } = list("users", "/users", t("settings.users.none"), (one, refresh) => {
    const path = `/users/${encodeURIComponent(one.name)}`;
    const role = element("select", { "aria-label": t("settings.users.role", { name: one.name }), onchange: async () => {
      try {
        await api("PATCH", path, { role: role.value });
        announce(t("settings.saved"));
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        role.value = one.role;
        return failed(problem);
      }
      one.role = role.value;
    } }, ...roles(one.role));
    return element("li", { class: "split" },
      element("div", {}, element("p", { class: "title" }, name(one.name)), element("p", { class: "facts" }, element("span", {}, t("settings.made"), " ", when(one.created_at, true)))),
      element("div", { class: "actions" }, role,
        button(t("settings.users.password"), () => asked(t("settings.users.password.of", { name: one.name }), [newPassword()], t("settings.password.do"), (values) => api("PATCH", path, values))),
        button(t("settings.remove"), () => remove(t("settings.users.remove", { name: one.name }), t("settings.users.remove.text"), path, refresh), "danger")));
  });
  body("users").append(element("p", { class: "more" }, button(t("settings.users.add"), () => {
    asked(t("settings.users.add"), [
      field(t("settings.users.name"), element("input", { name: "name", required: true, maxlength: 40, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }), t("settings.users.hint")),
      newPassword(),
      field(t("settings.users.may"), element("select", { name: "role" }, ...roles("editor")), t("settings.users.may.hint")),
    ], t("settings.users.do"), async (values) => { await api("POST", "/users", values); refresh(); });
  })));
  refresh();
}

you();
tokens();
if (may("editor")) shows();
if (may("admin")) {
  webhooks();
  users();
}
