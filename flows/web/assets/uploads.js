// Files sent to the app by tus 1.0, in chunks with their checksums: what is interrupted goes on where it ended, also
// after the page was closed, once the same file is chosen again.
import { frame, Problem, storage, t, unique } from "./frame.js";

const CHUNK = 8 * 2 ** 20; // bytes
const PAUSES = [1, 2, 5, 10, 20, 30]; // seconds before each further try
const KEPT = "uploads";
const MISMATCH = 460; // tus: the checksum is another

/** @typedef {{id: string, name: string, size: number, sent: number}} Kept an upload that was begun, by its file's fingerprint */

/** What tells a file from others, without reading it. @param {File} file */
const fingerprint = (file) => [file.name, file.size, file.lastModified].join("\n");

/** @returns {Record<string, Kept>} the uploads that were begun in this browser and became no episode yet */
export function kept() {
  try {
    return JSON.parse(storage.get(KEPT) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} print @param {Kept | null} upload */
function keep(print, upload) {
  const { [print]: _, ...rest } = kept();
  storage.set(KEPT, JSON.stringify(upload ? { ...rest, [print]: upload } : rest));
}

/**
 * Ask the server about uploads.
 * @param {string} method
 * @param {string} path below /uploads
 * @param {Record<string, string>} [headers]
 * @param {BodyInit} [body]
 * @param {AbortSignal} [signal]
 */
async function ask(method, path, headers = {}, body, signal) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(`${frame.base}/api/v1/uploads${path}`, {
      method, body, signal, credentials: "same-origin", headers: { "Tus-Resumable": "1.0.0", "X-CSRF-Token": frame.csrf, ...headers },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, {});
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

/** Give up an upload that was begun. @param {string} print its fingerprint */
export async function discard(print) {
  const upload = kept()[print];
  keep(print, null);
  if (upload) await ask("DELETE", `/${upload.id}`).catch(() => {});
}

/** A file on its way. `state`: "waiting", "sending", "interrupted" (it tries again by itself), "sent", "failed" or "cancelled". */
export class Upload {
  /** @param {File} file @param {() => void} changed called whenever `state` or `sent` changed */
  constructor(file, changed) {
    this.file = file;
    this.key = unique();
    this.print = fingerprint(file);
    this.changed = changed;
    this.state = "waiting";
    this.sent = kept()[this.print]?.sent ?? 0;
    this.problem = "";
    this.id = "";
    this.abort = new AbortController();
  }

  /** Send what the server doesn't have; returns when it has all, or when there is no more to try. */
  async start() {
    for (let tried = 0; this.state !== "cancelled";) {
      const before = this.sent;
      try {
        this.become("sending");
        this.sent = await this.offset();
        while (this.sent < this.file.size) await this.chunk();
        return this.become("sent");
      } catch (problem) {
        if (this.abort.signal.aborted) return;
        if (!(problem instanceof Problem) || !passing(problem.status)) {
          if (problem instanceof Problem && [410, 415].includes(problem.status)) keep(this.print, null); // the server has no use for it
          this.problem = problem instanceof Problem ? problem.message : t("add.unreadable"); // a file that was changed or is gone
          return this.become("failed");
        }
        tried = this.sent > before ? 0 : tried + 1;
        this.become("interrupted");
        await pause(PAUSES[Math.min(tried, PAUSES.length - 1)], this.abort.signal);
      }
    }
  }

  /** Stop, and have the server forget what it has. */
  async cancel() {
    this.become("cancelled");
    this.abort.abort();
    await discard(this.print);
  }

  /** Forget an upload that became an episode. */
  used() {
    keep(this.print, null);
  }

  /** The bytes that the server has; an upload is made where there is none, or the one there was expired. */
  async offset() {
    const begun = kept()[this.print];
    if (begun) {
      try {
        const answer = await ask("HEAD", `/${begun.id}`, {}, undefined, this.abort.signal);
        this.id = begun.id;
        return Number(answer.headers.get("Upload-Offset"));
      } catch (problem) {
        if (!(problem instanceof Problem) || ![403, 404, 410].includes(problem.status)) throw problem;
        keep(this.print, null);
      }
    }
    const answer = await ask("POST", "", {
      "Upload-Length": String(this.file.size), "Upload-Metadata": `filename ${base64(new TextEncoder().encode(this.file.name))}`,
    }, undefined, this.abort.signal);
    this.id = (answer.headers.get("Location") ?? "").split("/").at(-1) ?? "";
    this.remember(0);
    return 0;
  }

  async chunk() {
    const data = await this.file.slice(this.sent, this.sent + CHUNK).arrayBuffer();
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(this.sent) };
    if (crypto.subtle) headers["Upload-Checksum"] = `sha256 ${base64(new Uint8Array(await crypto.subtle.digest("SHA-256", data)))}`;
    const answer = await ask("PATCH", `/${this.id}`, headers, data, this.abort.signal);
    this.remember(Number(answer.headers.get("Upload-Offset")));
    this.become("sending");
  }

  /** @param {number} sent */
  remember(sent) {
    this.sent = sent;
    keep(this.print, { id: this.id, name: this.file.name, size: this.file.size, sent });
  }

  /** @param {string} state */
  become(state) {
    this.state = state;
    this.changed();
  }
}

/** Whether trying again may help. @param {number} status */
const passing = (status) => [0, 408, 409, 423, 429, MISMATCH].includes(status) || status >= 500 && status !== 507;

/** @param {number} seconds @param {AbortSignal} signal */
function pause(seconds, signal) {
  return new Promise((resolve) => {
    const end = () => { clearTimeout(timer); removeEventListener("online", end); resolve(undefined); };
    const timer = setTimeout(end, seconds * 1000);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}

/** @param {Uint8Array} data */
function base64(data) {
  return btoa(Array.from(data, (one) => String.fromCharCode(one)).join(""));
}
