// Who speaks here: choose another, or write another name, for one paragraph or for all of this voice.

import { byId, element, t } from "../frame.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Row} Row */
/** @typedef {import("./history.js").History} History */
/** @typedef {import("./types.js").Speaker} Speaker */

export class SpeakerMenu {
  /** @param {View} view @param {History} history @param {(row: Row) => void} chapter asked for at a row */
  constructor(view, history, chapter) {
    this.view = view;
    this.history = history;
    /** @type {HTMLElement} */
    this.menu = byId("who");
    /** @type {HTMLInputElement} */
    this.field = byId("who-name");
    /** @type {HTMLElement} */
    this.list = byId("who-list");
    this.everywhere = byId("who-everywhere");
    this.here = byId("who-here");
    /** @type {Row | null} */
    this.row = null;
    /** @type {{focus: () => void} | null} */
    this.back = null;
    /** @type {((named: boolean) => void) | null} */
    this.answered = null;
    this.active = -1;
    byId("who-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const option = /** @type {HTMLElement | undefined} */ (this.list.children[this.active]);
      if (option?.dataset.label) this.#choose(option.dataset.label); else this.#write();
    });
    this.field.addEventListener("input", () => this.#fill(this.field.value));
    this.field.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
      event.preventDefault();
      const length = this.list.children.length + 1;
      this.#activate(((this.active + 1 + (event.key === "ArrowDown" ? 1 : -1) + length) % length) - 1);
    });
    this.list.addEventListener("click", (event) => {
      const option = /** @type {Element} */ (event.target).closest("li");
      if (option?.dataset.label) this.#choose(option.dataset.label);
    });
    byId("who-chapter").addEventListener("click", () => {
      const { row } = this;
      this.back = null;
      this.menu.hidePopover();
      if (row) chapter(row);
    });
    this.menu.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed") this.#closed();
    });
  }

  /**
   * @param {Row} row @param {string} [name] to begin with
   * @param {(named: boolean) => void} [answered] where somebody asked: told of Enter, and whether there was a name
   */
  open(row, name, answered) {
    this.row?.name.setAttribute("aria-expanded", "false");
    this.answered = answered ?? null;
    byId("who-chapter").hidden = Boolean(answered);
    const caret = this.view.caret(row), { speaker } = row.paragraph, own = this.view.model.name(speaker);
    this.row = row;
    this.back = { focus: () => (caret ? this.view.select(row, caret.from, caret.to) : row.name.focus()) };
    this.field.value = name ?? own;
    this.everywhere.disabled = speaker === null;
    this.everywhere.checked = speaker !== null;
    this.here.checked = speaker === null;
    byId("who-everywhere-text").textContent = own ? t("editor.everywhere", { name: own }) : t("editor.everywhere_nobody");
    this.#fill("");
    this.menu.showPopover();
    this.view.beside(this.menu, row.name);
    row.name.setAttribute("aria-expanded", "true");
    this.field.focus();
    this.field.select();
  }

  /** The names that there are, those that hold what was typed. @param {string} typed */
  #fill(typed) {
    const wanted = typed.trim().toLocaleLowerCase(), own = this.row?.paragraph.speaker, names = new Set();
    const others = this.view.model.local.speakers.filter(({ label, name }) => {
      const fits = label !== own && name.toLocaleLowerCase().includes(wanted) && !names.has(name);
      if (fits) names.add(name);
      return fits;
    });
    this.list.replaceChildren(...others.map(({ label, name, colour }, number) => element("li",
      { id: `who-${number}`, role: "option", "aria-selected": "false", "data-label": label, class: colour === null ? "" : `s${colour}` },
      element("span", { class: "dot", "aria-hidden": "true" }), element("bdi", {}, name))));
    byId("who-others").hidden = !others.length;
    this.field.setAttribute("aria-expanded", String(others.length > 0));
    this.#activate(-1);
  }

  /** @param {number} index */
  #activate(index) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.list.children[index];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id); else this.field.removeAttribute("aria-activedescendant");
  }

  /** Give the paragraph to somebody. @param {string} label */
  #choose(label) {
    const row = this.row, speaker = this.view.model.local.speakers.find((one) => one.label === label);
    if (!row || !speaker) return;
    const paragraph = row.paragraph.id;
    this.history.act(label.startsWith("?") ? { do: "speaker", paragraph, name: speaker.name } : { do: "speaker", paragraph, speaker: label }, [row.paragraph]);
    this.#close(true);
  }

  /** @param {boolean} named */
  #close(named) {
    const { answered } = this;
    if (answered) this.back = null;
    this.answered = null;
    this.menu.hidePopover();
    answered?.(named);
  }

  /** What was typed holds. */
  #write() {
    const row = this.row, name = this.field.value.replace(/\s+/g, " ").trim(), model = this.view.model;
    if (row && !name && this.answered) this.#close(false);
    if (!row || !name) return;
    const { speaker, id } = row.paragraph, was = model.name(speaker);
    if (this.everywhere.checked && speaker !== null) {
      if (name !== was) this.history.act({ do: "rename", speaker, was, name });
    } else {
      const known = model.local.speakers.find((one) => one.name.toLocaleLowerCase() === name.toLocaleLowerCase());
      if (known && !known.label.startsWith("?")) this.history.act({ do: "speaker", paragraph: id, speaker: known.label }, [row.paragraph]);
      else this.history.act({ do: "speaker", paragraph: id, name }, [row.paragraph]);
    }
    this.#close(true);
  }

  #closed() {
    this.row?.name.setAttribute("aria-expanded", "false");
    const at = document.activeElement, lost = at === document.body || at === this.row?.box || this.menu.contains(at);
    this.answered = null;
    if (lost && this.row && this.view.byKey.get(this.row.key) === this.row) this.back?.focus();
    this.row = null;
  }
}
