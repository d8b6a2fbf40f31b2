// Words marked without an element of their own: the CSS Custom Highlight API. Where a browser lacks it nothing is marked.

const ORDER = ["overlap", "doubt", "hit", "item", "now", "here"]; // later ones lie over earlier ones

/** @type {Map<string, Highlight>} */
const made = new Map();
if ("highlights" in CSS) {
  for (const [priority, name] of ORDER.entries()) {
    const highlight = new Highlight();
    highlight.priority = priority;
    CSS.highlights.set(name, highlight);
    made.set(name, highlight);
  }
}

/** Marks of one kind, by what they belong to. */
export class Marks {
  /** @param {string} name of the highlight: ::highlight(NAME) */
  constructor(name) {
    this.highlight = made.get(name);
    /** @type {Map<any, AbstractRange[]>} */
    this.ranges = new Map();
  }

  /**
   * Mark other stretches of a text than before.
   * @param {any} owner @param {Node | null} node @param {readonly (readonly [number, number] | undefined)[]} stretches
   */
  set(owner, node, stretches) {
    const highlight = this.highlight;
    for (const range of this.ranges.get(owner) ?? []) highlight?.delete(range);
    this.ranges.delete(owner);
    if (!node || !stretches.length) return;
    const length = node.textContent?.length ?? 0;
    const fresh = stretches.filter((one) => one !== undefined && one[0] < one[1] && one[1] <= length).map((one) => {
      const [from, to] = /** @type {[number, number]} */ (one);
      return new StaticRange({ startContainer: node, startOffset: from, endContainer: node, endOffset: to });
    });
    this.ranges.set(owner, fresh);
    for (const range of fresh) highlight?.add(range);
  }

  clear() {
    this.highlight?.clear();
    this.ranges.clear();
  }
}
