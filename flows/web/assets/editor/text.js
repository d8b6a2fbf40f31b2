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

// Of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, and what is as wide as a Chinese character.
const WIDE = /[\uff01-\uff60\p{scx=Bopo}\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Yiii}]/u;
const SPACELESS = new RegExp(`[\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff${WIDE.source.slice(1)}`, "u");
const LETTER = /[\p{L}\p{N}]/u;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The words of a text as the server cuts them, each with the white space before it; in scripts without spaces each
 * letter, with the signs after it.
 * @param {string} text
 */
export function units(text) {
  return (text.match(/\s*\S+/g) ?? []).flatMap((chunk) => {
    if (!SPACELESS.test(chunk)) return [chunk];
    const found = [];
    let piece = "";
    for (const { segment } of graphemes.segment(chunk)) {
      const last = [...piece.trim()].at(-1) ?? "", char = String.fromCodePoint(segment.codePointAt(0) ?? 0);
      if (last && LETTER.test(char) && (SPACELESS.test(char) || (LETTER.test(last) && SPACELESS.test(last)))) {
        found.push(piece);
        piece = "";
      }
      piece += segment;
    }
    return [...found, piece];
  });
}

/**
 * The paragraph with other text, for the time until the server tells how it cuts and times it: words at the beginning
 * and the end that are as before keep what they have, those between share the time between.
 * @param {Paragraph} paragraph @param {string} text @param {string} id
 * @returns {Paragraph}
 */
export function withText(paragraph, text, id) {
  const { words } = paragraph, fresh = units(text), old = words.flatMap((word, index) => units(word).map((unit) => ({ unit, index })));
  const most = Math.min(old.length, fresh.length), spaced = (/** @type {string} */ one) => /^\s/.test(one);
  const same = (/** @type {number} */ i, /** @type {number} */ j) => {
    const one = old[i]?.unit ?? "", other = fresh[j] ?? "";
    return one.trim() === other.trim() && (!i || !j || spaced(one) === spaced(other));
  };
  const owner = (/** @type {number} */ i) => old[i]?.index ?? words.length;
  let head = 0, tail = 0;
  while (head < most && same(head, head)) head += 1;
  while (tail < most - head && same(old.length - 1 - tail, fresh.length - 1 - tail)) tail += 1;
  while (head && owner(head) === owner(head - 1)) head -= 1;
  while (tail && owner(old.length - tail) === owner(old.length - tail - 1)) tail -= 1;
  const first = owner(head), last = owner(old.length - tail), middle = fresh.slice(head, fresh.length - tail);
  const seam = fresh[fresh.length - tail] ?? "", after = words.slice(last);
  if (tail && after[0] !== undefined) after[0] = `${spaced(seam) ? " " : ""}${after[0].trim()}`;
  const from = paragraph.starts[first] ?? paragraph.ends[first - 1] ?? 0;
  const to = Math.max(from, last > first ? paragraph.ends[last - 1] ?? from : paragraph.starts[last] ?? from);
  const size = middle.join("").length || 1;
  let done = 0;
  const times = middle.map((word) => {
    const start = from + ((to - from) * done) / size;
    done += word.length;
    return [Math.round(start), Math.round(from + ((to - from) * done) / size)];
  });
  const moved = (/** @type {number[]} */ indices) => indices
    .filter((index) => index < first || index >= last)
    .map((index) => (index < first ? index : index - last + first + middle.length));
  /** @param {number[]} kept @param {number} side */
  const woven = (kept, side) => [...kept.slice(0, first), ...times.map((pair) => pair[side] ?? from), ...kept.slice(last)];
  return {
    ...paragraph, id,
    words: [...words.slice(0, first), ...middle, ...after],
    starts: woven(paragraph.starts, 0), ends: woven(paragraph.ends, 1),
    doubt: moved(paragraph.doubt), overlap: moved(paragraph.overlap),
  };
}

/**
 * Where the words of a paragraph lie in those of another that holds them, the nearest in time where it does so more than
 * once: a place in its text, -1 for nowhere.
 * @param {Paragraph} wanted @param {Paragraph} within
 */
export function occurrence(wanted, within) {
  const text = textOf(wanted), all = textOf(within);
  const away = (/** @type {number} */ at) => Math.abs((within.starts[wordAfter(within, letters(all.slice(0, at)))] ?? 0) - (wanted.starts[0] ?? 0));
  let best = all.indexOf(text);
  for (let at = best; text && at >= 0; at = all.indexOf(text, at + 1)) if (away(at) < away(best)) best = at;
  return best;
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
  const spaced = /^\s/.test(head) || (WIDE.test([...textOf(first)].at(-1) ?? "") && WIDE.test(head[0] ?? "")) ? head : ` ${head}`;
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
  const [a = [], b = [], c = []] = [base, mine, theirs].map((text) => units(` ${text}`));
  const [head, tail] = shared(a, b), [head2, tail2] = shared(a, c);
  const [from, to, from2, to2] = [head, a.length - tail, head2, a.length - tail2];
  if (to < from2) return tidy([...b.slice(0, b.length - tail), ...a.slice(to, from2), ...c.slice(from2)].join(""));
  if (to2 < from) return tidy([...c.slice(0, c.length - tail2), ...a.slice(to2, from), ...b.slice(from)].join(""));
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
