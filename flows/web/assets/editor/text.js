// Words and running text: where words lie in it, how two texts differ, how two changes of one text go together.

/** @typedef {import("./types.js").Paragraph} Paragraph */

/** Text on one line with single spaces, as it is sent. @param {string} text */
export const tidy = (text) => text.replace(/\s+/g, " ").trim();

/** The words of a paragraph as running text. @param {Paragraph} paragraph */
export const textOf = (paragraph) => tidy(paragraph.words.join(""));

/** A word or words without the punctuation around them: where they begin and end in a text. @param {string} text @param {number} from @param {number} to */
export function bare(text, from, to) {
  const said = text.slice(from, to), head = /^[\p{P}\s]*/u.exec(said)?.[0].length ?? 0, tail = /[\p{P}\s]*$/u.exec(said)?.[0].length ?? 0;
  return head < said.length ? [from + head, to - tail] : [from, to];
}

/** Letters and signs, white space not counted. @param {string} text */
export const letters = (text) => text.replace(/\s+/g, "").length;

/**
 * How many characters or words two texts share at their beginnings, and then at their ends.
 * @param {ArrayLike<string>} one @param {ArrayLike<string>} other
 * @returns {[number, number]}
 */
export function shared(one, other) {
  const most = Math.min(one.length, other.length);
  let head = 0, tail = 0;
  while (head < most && one[head] === other[head]) head += 1;
  while (tail < most - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail += 1;
  return [head, tail];
}

/**
 * Where the words of a paragraph lie in `text`, which may be spaced otherwise: [from, to] of each; null where the
 * text isn't of these words.
 * @param {Paragraph} paragraph @param {string} text
 * @returns {[number, number][] | null}
 */
export function spans(paragraph, text) {
  /** @type {[number, number][]} */
  const found = [];
  let at = 0;
  const skip = () => { while (at < text.length && /\s/.test(/** @type {string} */ (text[at]))) at += 1; };
  for (const word of paragraph.words) {
    skip();
    const from = at;
    for (const part of word.trim().split(/\s+/)) {
      skip();
      if (!text.startsWith(part, at)) return null;
      at += part.length;
    }
    found.push([Math.min(from, at), at]);
  }
  skip();
  return at === text.length ? found : null;
}

/**
 * The paragraph with other text, for the time until the server tells how it cuts and times it: words at the beginning
 * and the end that are as before keep what they have, those between share the time between.
 * @param {Paragraph} paragraph @param {string} text @param {string} id
 * @returns {Paragraph}
 */
export function withText(paragraph, text, id) {
  const before = paragraph.words.map((word) => word.trim());
  const after = text.match(/\s*\S+/g) ?? [], [head, tail] = shared(before, after.map((word) => word.trim()));
  const middle = after.slice(head, after.length - tail), last = before.length - tail;
  const from = paragraph.starts[head] ?? paragraph.ends[head - 1] ?? 0;
  const to = Math.max(from, last > head ? paragraph.ends[last - 1] ?? from : paragraph.starts[last] ?? from);
  const size = middle.join("").length || 1;
  let done = 0;
  const times = middle.map((word) => {
    const start = from + ((to - from) * done) / size;
    done += word.length;
    return [Math.round(start), Math.round(from + ((to - from) * done) / size)];
  });
  const moved = (/** @type {number[]} */ indices) => indices
    .filter((index) => index < head || index >= last)
    .map((index) => (index < head ? index : index - last + head + middle.length));
  /** @param {number[]} kept @param {number} side */
  const woven = (kept, side) => [...kept.slice(0, head), ...times.map((pair) => pair[side] ?? from), ...kept.slice(last)];
  return {
    ...paragraph, id,
    words: after,
    starts: woven(paragraph.starts, 0), ends: woven(paragraph.ends, 1),
    doubt: moved(paragraph.doubt), overlap: moved(paragraph.overlap),
  };
}

/**
 * The words [from, to) of a paragraph as one of their own.
 * @param {Paragraph} paragraph @param {number} from @param {number} to @param {string} id
 * @returns {Paragraph}
 */
export function part(paragraph, from, to, id) {
  const within = (/** @type {number[]} */ indices) => indices.filter((i) => i >= from && i < to).map((i) => i - from);
  return {
    ...paragraph, id, words: paragraph.words.slice(from, to), starts: paragraph.starts.slice(from, to),
    ends: paragraph.ends.slice(from, to), doubt: within(paragraph.doubt), overlap: within(paragraph.overlap),
  };
}

/**
 * Two paragraphs as one of the first one's speaker.
 * @param {Paragraph} first @param {Paragraph} second @param {string} id
 * @returns {Paragraph}
 */
export function joined(first, second, id) {
  const [head = "", ...rest] = second.words, by = first.words.length;
  const spaced = /^\s/.test(head) || !/\s/.test(first.words.join("").trim()) ? head : ` ${head}`;
  const later = (/** @type {number[]} */ indices) => indices.map((index) => index + by);
  return {
    ...first, id, words: [...first.words, spaced, ...rest], starts: [...first.starts, ...second.starts],
    ends: [...first.ends, ...second.ends], doubt: [...first.doubt, ...later(second.doubt)],
    overlap: [...first.overlap, ...later(second.overlap)], unsure: first.unsure || second.unsure,
  };
}

/**
 * The word that begins at, or else after, so many letters.
 * @param {Paragraph} paragraph @param {number} wanted
 */
export function wordAfter(paragraph, wanted) {
  let seen = 0;
  for (const [index, word] of paragraph.words.entries()) {
    if (seen >= wanted) return index;
    seen += letters(word);
  }
  return paragraph.words.length;
}

/**
 * One text with both changes of it, null where they touch.
 * @param {string} base @param {string} mine @param {string} theirs
 */
export function merged(base, mine, theirs) {
  if (mine === theirs || base === theirs) return mine;
  if (base === mine) return theirs;
  const a = base.split(" "), b = mine.split(" "), c = theirs.split(" ");
  const [head, tail] = shared(a, b), [head2, tail2] = shared(a, c);
  const [from, to, from2, to2] = [head, a.length - tail, head2, a.length - tail2];
  if (to < from2) return [...b.slice(0, b.length - tail), ...a.slice(to, from2), ...c.slice(from2)].join(" ");
  if (to2 < from) return [...c.slice(0, c.length - tail2), ...a.slice(to2, from), ...b.slice(from)].join(" ");
  return null;
}

/**
 * Where something is found in a text: [from, to] of each hit.
 * @param {string} text @param {RegExp | null} pattern
 * @returns {[number, number][]}
 */
export const hits = (text, pattern) =>
  pattern ? [...text.matchAll(pattern)].map((hit) => [hit.index, hit.index + hit[0].length]) : [];

/**
 * What find and replace looks for, literally; null for nothing.
 * @param {string} find @param {boolean} sameCase @param {boolean} wholeWords
 */
export function pattern(find, sameCase, wholeWords) {
  if (!find) return null;
  const literal = find.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replace(/\s+/g, "\\s+");
  const whole = wholeWords ? `(?<![\\p{L}\\p{M}\\p{N}_])${literal}(?![\\p{L}\\p{M}\\p{N}_])` : literal;
  return new RegExp(whole, sameCase ? "gu" : "giu");
}

/**
 * Where sentences begin in a text.
 * @param {string} text @param {string} language
 */
export function sentences(text, language) {
  try {
    return [...new Intl.Segmenter(language || undefined, { granularity: "sentence" }).segment(text)].map((one) => one.index);
  } catch {
    return [...text.matchAll(/(?:^|[.?!…。？！]\s*)(?=\S)/g)].map((hit) => hit.index + hit[0].length);
  }
}
