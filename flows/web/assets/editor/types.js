// What the modules of the episode page tell each other.

/**
 * A paragraph of one speaker, as the server tells it. Times in ms; words with the white space before them.
 * @typedef {{
 *   id: string, speaker: string | null, language: string, direction: string, starts: number[], ends: number[],
 *   words: string[], doubt: number[], unsure: boolean, overlap: number[],
 * }} Paragraph
 *
 * @typedef {{label: string, name: string, colour: number | null, source?: string, confidence?: number, share?: number}} Speaker
 * @typedef {{words: number, speakers: number, names: number, reviewed: number, total: number}} Doubts
 * @typedef {{op: string}} Undoable
 *
 * `start` in seconds; `by` is the language model that wrote the title, "" where none did.
 * @typedef {{start: number, title: string, by: string}} Chapter
 * `source` is who says so: "proposed", "user", or where they were told; `told` is that of those that the user's replace;
 * `made_for` the length, in seconds, of the audio for which the user made them, null where this is as long.
 * @typedef {{source: string, told: string, made_for: number | null, list: Chapter[]}} Chapters
 * @typedef {{engine: string, sentences: {text: string, start: number}[]}} Summary
 *
 * @typedef {{
 *   episode: string, revision: string, title: string, show: string, published: string, seconds: number,
 *   language: string, languages: {language: string, share: number}[], translations: string[], audio: boolean, editable: boolean,
 *   warnings: string[], speakers: Speaker[], chapters: Chapters, summary: Summary | null, paragraphs: Paragraph[],
 *   undo: Undoable[], doubts: Doubts,
 * }} Page
 *
 * @typedef {{at: number, removed: number, paragraphs: Paragraph[]}} Splice
 * @typedef {{
 *   from: string, to: string, op: string, by: string, splices: Splice[], speakers: Speaker[] | null, chapters: Chapters | null,
 *   undo?: Undoable[], doubts: Doubts,
 * }} Patch
 */

/**
 * What is to be done. Paragraphs are named by the server's id, or as `OP/N`: the Nth that the pending edit OP makes.
 * Where to split is told by how many letters stand before, since words are cut anew when they are edited.
 * @typedef {{do: "text", paragraph: string, text: string}
 *   | {do: "split", paragraph: string, letters: number}
 *   | {do: "join", paragraph: string}
 *   | {do: "speaker", paragraph: string, speaker?: string, name?: string}
 *   | {do: "rename", speaker: string, was: string, name: string}
 *   | {do: "confirm", item: string, kind: string, paragraph: string, from: number, to: number}
 *   | {do: "replace", find: string, replace: string, case: boolean, words: boolean}
 *   | {do: "chapter", was?: {start: number, title: string}, now?: {start: number, title: string}}
 *   | {do: "chapters", chapters: null}
 *   | {do: "keep_chapters"}
 *   | {do: "undo", edit: string}} Action
 *
 * `base` are the paragraphs that the action is about as they were seen; `wire` what was sent, once it was.
 * @typedef {{op: string, do: Action, base: Paragraph[], wire?: Record<string, any>}} Edit
 *
 * @typedef {{
 *   id: string, kind: "word" | "speaker" | "name", doubt: number, why: string, value: number, paragraph: string | null,
 *   from: number, to: number, start: number, end: number, text: string, suggestion: string | null, speaker: string | null,
 *   confirmable: boolean,
 * }} Item
 */

export {};
