"use strict";
// The page of an episode: plays, follows the words, searches, links to moments. It builds no markup from text.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const main = $("transcript"), audio = $("audio"), seek = $("seek"), query = $("query");
  const total = Number(document.body.dataset.seconds) || 0;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // ---- What the listener prefers. A page from a file may have no storage: then nothing is remembered.
  const keep = (name, value) => { try { localStorage.setItem(`episcribe-${name}`, value); } catch { /* no storage */ } };
  const kept = (name) => { try { return localStorage.getItem(`episcribe-${name}`); } catch { return null; } };

  const clock = (seconds) => {
    const s = Math.max(0, Math.floor(seconds)), two = (n) => String(n).padStart(2, "0");
    const minutes = Math.floor(s / 60), hours = Math.floor(minutes / 60);
    return hours ? `${hours}:${two(minutes % 60)}:${two(s % 60)}` : `${two(minutes)}:${two(s % 60)}`;
  };
  const say = (text) => { $("said").textContent = text; };
  const plain = (seconds) => String(Math.round(Math.max(0, seconds) * 10) / 10);

  // ---- The words.
  let spans = [], starts = [], current = -1;
  function collect() {
    spans = [...main.querySelectorAll("span[data-t]")];
    let latest = 0;  // people who talk at once: their words stay in the order in which they are read
    starts = spans.map((span) => (latest = Math.max(latest, Number(span.dataset.t))));
    current = -1;
  }
  function wordAt(seconds) {
    let low = 0, high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= seconds + 0.001) low = middle + 1; else high = middle;
    }
    return low - 1;
  }
  const sectionOf = (index) => spans[index]?.closest("section");
  const nameIn = (section) => section?.querySelector(".name")?.textContent ?? "";

  // ---- Where we are. Before the audio is loaded the position is only wanted.
  let wanted = null, following = true, shown = null;
  const position = () => wanted ?? audio.currentTime;
  function jump(seconds, play = false) {
    const to = Math.min(Math.max(0, seconds), total);
    if (audio.readyState > 0) { wanted = null; audio.currentTime = to; } else wanted = to;
    follow(true);
    show(to);
    if (play) start();
  }
  function start() {
    audio.play().catch((error) => { if (error.name === "NotSupportedError") missing(); });
  }
  const toggle = () => { if (audio.paused) start(); else audio.pause(); };
  audio.addEventListener("loadedmetadata", () => {
    if (wanted !== null) { audio.currentTime = wanted; wanted = null; }
  });

  function show(seconds) {
    const index = wordAt(seconds), second = Math.floor(seconds);
    seek.value = seconds;
    showChapter(chapterAt(seconds));
    if (index !== current) {
      spans[current]?.classList.remove("now");
      spans[index]?.classList.add("now");
      current = index;
      if (following) reveal();
    }
    const section = sectionOf(index), name = nameIn(section), title = chapters[chapter]?.title;
    if (shown === `${second} ${chapter} ${name}`) return;
    shown = `${second} ${chapter} ${name}`;
    $("now").textContent = clock(seconds);
    $("speaking").textContent = name;
    $("speaking").className = `speaking ${section?.className ?? ""}`;
    seek.setAttribute("aria-valuetext", [`${clock(seconds)} of ${clock(total)}`, name, title].filter(Boolean).join(", "));
  }
  function frame() {
    show(position());
    if (!audio.paused) requestAnimationFrame(frame);
  }
  for (const event of ["timeupdate", "seeked"]) audio.addEventListener(event, () => show(position()));
  for (const event of ["play", "pause", "ended"]) {
    audio.addEventListener(event, () => {
      root.classList.toggle("playing", !audio.paused);
      $("play").setAttribute("aria-label", audio.paused ? "Play" : "Pause");
      if (event === "play") requestAnimationFrame(frame);
    });
  }

  // ---- Chapters, as the page lists them.
  const bars = document.querySelectorAll("#marks path"), aside = document.querySelector("aside");
  const chapters = [...document.querySelectorAll(".chapters a[data-end]")].map((link, number) => ({
    link, bar: bars[number], start: momentIn(link.hash), end: Number(link.dataset.end), title: link.querySelector(".title").textContent,
  }));
  let chapter = -1;
  const begun = (seconds) => chapters.findLastIndex((one) => one.start <= seconds + 0.001);
  function chapterAt(seconds) {  // none between the end of one and the beginning of the next
    const index = begun(seconds);
    return index >= 0 && seconds <= chapters[index].end + 0.001 ? index : -1;
  }
  function showChapter(index) {
    if (index === chapter) return;
    chapters[chapter]?.link.removeAttribute("aria-current");
    chapters[chapter]?.bar.classList.remove("now");
    chapter = index;
    $("chapter").textContent = chapters[chapter]?.title ?? "";
    if (chapter < 0) return;
    const { link, bar } = chapters[chapter];
    link.setAttribute("aria-current", "true");
    bar.classList.add("now");
    const outer = aside.getBoundingClientRect(), box = link.getBoundingClientRect();  // only its own list scrolls
    if (box.top < outer.top || box.bottom > outer.bottom) aside.scrollTop += box.top - outer.top - outer.height / 3;
  }
  const AGAIN = 3;  // seconds into a chapter up to which "previous" is the one before, and not this one again
  function stepChapter(by) {
    const at = begun(position()), again = by < 0 && position() - chapters[at]?.start > AGAIN;
    const to = chapters[again ? at : Math.max(0, at + by)];
    if (!to) return;
    jump(to.start);
    showPlace(to.link.hash);
    toast(to.title);
  }

  // ---- Following: the current word stays in sight until the reader scrolls away.
  function follow(on) {
    following = on;
    $("follow").setAttribute("aria-pressed", String(on));
  }
  function reveal(index = current) {
    const span = spans[index];
    if (!span) return;
    let box = span.getBoundingClientRect();
    if (!box.height) { span.scrollIntoView({ block: "center" }); return; }
    const bottom = document.querySelector(".player").getBoundingClientRect().top;
    if (box.top > 40 && box.bottom < bottom - 40) return;
    const top = box.top - bottom * 0.35;  // what lies far off is not laid out yet: on a long way its place would change
    scrollBy({ top, behavior: still.matches || Math.abs(top) > 2 * innerHeight ? "instant" : "smooth" });
  }
  for (const event of ["wheel", "touchmove"]) addEventListener(event, () => follow(false), { passive: true });
  $("follow").addEventListener("click", () => { follow(!following); if (following) reveal(); });

  // ---- Jumping by words, times and addresses.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#t=']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const hash = link.dataset.t ? `#t=${link.dataset.t}` : link.hash;
    history.replaceState(null, "", hash);
    jump(momentIn(hash), true);
    if (!main.contains(link)) showPlace(hash);
  });
  const showPlace = (hash) => ($(hash.slice(1)) ?? spans[current])?.scrollIntoView({ behavior: "instant" });
  main.addEventListener("click", (event) => {
    const word = event.target.closest("span[data-t]");
    if (word && getSelection().isCollapsed) jump(Number(word.dataset.t), true);
  });
  function momentIn(hash) {  // https://www.w3.org/TR/media-frags/ : seconds, or clock time
    const found = /^#t=(?:npt:)?((?:\d+:){0,2}\d+(?:\.\d*)?)/.exec(hash);
    return found ? found[1].split(":").reduce((sum, part) => sum * 60 + Number(part), 0) : null;
  }
  function goToHash() {
    const seconds = momentIn(location.hash);
    if (seconds === null) return;
    jump(seconds);
    spans[current]?.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", goToHash);
  function share() {
    const address = `${location.href.split("#")[0]}#t=${plain(position())}`;
    history.replaceState(null, "", new URL(address).hash);
    const copied = navigator.clipboard?.writeText(address) ?? Promise.reject();
    copied.then(() => toast("Link copied"), () => toast("The address bar now links to this moment"));
  }
  let hiding = 0;
  function toast(text) {
    say(text);
    $("peek").textContent = text;
    $("peek").style.left = "50%";
    $("peek").hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { $("peek").hidden = true; }, 2500);
  }
  function stepWord(by) { if (spans.length) jump(starts[Math.min(Math.max(0, current + by), spans.length - 1)]); }
  function stepSpeaker(by) {
    const sections = [...main.querySelectorAll("section")].filter((section) => section.querySelector("span[data-t]"));
    const at = sections.indexOf(sectionOf(current));
    const to = sections[Math.min(Math.max(0, at + by), sections.length - 1)];
    if (to) jump(Number(to.querySelector("span[data-t]").dataset.t));
  }

  // ---- The time line.
  seek.addEventListener("input", () => jump(Number(seek.value)));
  seek.addEventListener("pointermove", (event) => {
    const box = seek.getBoundingClientRect(), x = Math.min(Math.max(0, event.clientX - box.left), box.width);
    const seconds = (x / box.width) * total, name = nameIn(sectionOf(wordAt(seconds)));
    clearTimeout(hiding);
    $("peek").textContent = [clock(seconds), name, chapters[chapterAt(seconds)]?.title].filter(Boolean).join("  ");
    $("peek").style.left = `${Math.min(Math.max(50, x), Math.max(50, box.width - 50))}px`;
    $("peek").hidden = false;
  });
  seek.addEventListener("pointerleave", () => { $("peek").hidden = true; });

  // ---- Search. Letters are compared without case, accents and punctuation.
  let folded = "", offsets = [], hits = [], here = -1;
  const fold = (text) =>
    text.normalize("NFKD").replace(/[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\p{P}\p{S}]/gu, "").toLowerCase().replace(/\s+/g, " ");
  function index() {
    const parts = [];
    let length = 0;
    offsets = [];
    for (const span of spans) {
      const before = span.previousSibling;
      const gap = !before || (before.nodeType === Node.TEXT_NODE && /\s$/.test(before.data));
      const text = fold(span.textContent).trim();
      if (gap && length) { parts.push(" "); length += 1; }
      offsets.push(length);
      parts.push(text);
      length += text.length;
    }
    folded = parts.join("").replace(/ {2,}/g, (run) => " ".padEnd(run.length, "\u0000"));
  }
  function wordWith(offset) {
    let low = 0, high = offsets.length;
    while (low < high) { const m = (low + high) >> 1; if (offsets[m] <= offset) low = m + 1; else high = m; }
    return low - 1;
  }
  function search() {
    for (const span of main.querySelectorAll(".hit, .here")) span.classList.remove("hit", "here");
    const wanted = fold(query.value).trim();
    hits = [];
    here = -1;
    if (wanted) {
      if (!offsets.length) index();
      for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, at + wanted.length)) {
        hits.push([wordWith(at), wordWith(at + wanted.length - 1)]);
      }
    }
    for (const [first, last] of hits) for (let i = first; i <= last; i++) spans[i].classList.add("hit");
    $("find-back").disabled = $("find-next").disabled = !hits.length;
    $("found").textContent = wanted ? (hits.length ? `${hits.length} hit${hits.length > 1 ? "s" : ""}` : "No hits") : "";
    draw();
  }
  function draw() {
    const marks = (chosen) => chosen.map(([first]) => `M${(starts[first] / total) * 1000 - 1} 0h2v1000h-2z`).join("");
    const path = (d, name) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", "path");
      made.setAttribute("d", d);
      if (name) made.setAttribute("class", name);
      return made;
    };
    $("ticks").replaceChildren(path(marks(hits)), path(marks(here < 0 ? [] : [hits[here]]), "here"));
  }
  function goToHit(by) {
    if (!hits.length) return;
    const mark = (on) => {
      if (here >= 0) for (let i = hits[here][0]; i <= hits[here][1]; i++) spans[i].classList.toggle("here", on);
    };
    mark(false);
    if (here < 0) {  // the first one from where we are
      const from = hits.findIndex(([first]) => starts[first] >= position() - 0.05);
      here = by > 0 ? Math.max(0, from) : (from > 0 ? from : hits.length) - 1;
    } else here = (here + by + hits.length) % hits.length;
    mark(true);
    $("found").textContent = `Hit ${here + 1} of ${hits.length}, ${clock(starts[hits[here][0]])}`;
    draw();
    if (audio.paused) jump(starts[hits[here][0]]); else { follow(false); }
    reveal(hits[here][0]);
  }
  let typing = 0;
  query.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 80); });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && query.value) { query.value = ""; search(); event.preventDefault(); }
    if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); goToHit(-1); }
  });
  $("find-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    if (!hits.length) search();
    goToHit(1);
  });
  $("find-back").addEventListener("click", () => goToHit(-1));

  // ---- Captions, from the page's own track.
  const tracks = [...audio.textTracks];  // what was said, then its translations
  let track = tracks[0];
  function captions(on) {
    if (!track) return;
    // We show them ourselves: an audio element has no picture.
    for (const one of tracks) one.mode = on && one === track ? "hidden" : "disabled";
    $("caption").lang = track.language;
    $("cc").setAttribute("aria-pressed", String(on));
    $("caption").hidden = !on;
    keep("captions", on ? "1" : "");
  }
  for (const one of tracks) one.addEventListener("cuechange", () => {
    if (one !== track) return;
    $("caption").replaceChildren(...[...(track.activeCues ?? [])].flatMap((cue, number) => {
      const text = cue.getCueAsHTML(), voice = text.querySelector("[title]")?.title;
      const shown = document.createElement("span"), language = text.querySelector("[lang]")?.lang;
      shown.textContent = `${voice ? `${voice}: ` : ""}${text.textContent}`;
      if (language) shown.lang = language;
      return number ? ["\n", shown] : [shown];
    }));
  });
  $("cc-language")?.addEventListener("change", (event) => {
    track = tracks[Number(event.target.value)];
    keep("captions-language", track === tracks[0] ? "" : track.language);
    $("caption").replaceChildren();
    captions(true);
  });
  function captionsAsKept() {
    const chosen = tracks.findIndex((one, number) => number && one.language === kept("captions-language"));
    if (chosen > 0 && $("cc-language")) { track = tracks[chosen]; $("cc-language").value = String(chosen); }
    captions(kept("captions") === "1");
  }
  const flipCaptions = () => captions($("caption").hidden);
  $("cc")?.addEventListener("click", flipCaptions);

  // ---- Languages by their names, where the browser knows them.
  for (const element of document.querySelectorAll("[data-language]")) {
    try {
      element.textContent = new Intl.DisplayNames(["en"], { type: "language" }).of(element.dataset.language);
    } catch { /* the code stays */ }
  }

  // ---- Speed and colours.
  function speed(rate) {
    if (![...$("speed").options].some((option) => option.value === String(rate))) return;
    $("speed").value = String(rate);
    audio.defaultPlaybackRate = audio.playbackRate = rate;
    keep("speed", rate);
  }
  $("speed").addEventListener("change", () => speed(Number($("speed").value)));
  function stepSpeed(by) {
    const option = $("speed").options[$("speed").selectedIndex + by];
    if (option) { speed(Number(option.value)); toast(`Speed ${option.textContent}`); }
  }
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  function theme(name) {
    if (name) root.dataset.theme = name;
    $("theme").setAttribute("aria-pressed", String(isDark()));
  }
  $("theme").addEventListener("click", () => { theme(isDark() ? "light" : "dark"); keep("theme", root.dataset.theme); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme());

  // ---- Audio that is not there: the listener picks the file.
  function missing(text = "The audio is not beside this page, or can't be played.") {
    $("missing-text").textContent = text;
    $("missing").hidden = false;
    say(text);
  }
  const places = audio.querySelectorAll("source");
  places[places.length - 1]?.addEventListener("error", () => missing());
  if (!places.length) missing("This page comes without audio.");
  $("pick").addEventListener("change", () => {
    const [file] = $("pick").files;
    if (!file) return;
    wanted = position();
    audio.src = URL.createObjectURL(file);
    $("missing").hidden = true;
    start();
  });

  // ---- Keys.
  const keysOn = $("keys-on");
  keysOn.checked = kept("keys") !== "off";
  keysOn.addEventListener("change", () => keep("keys", keysOn.checked ? "on" : "off"));
  const openKeys = () => $("keys").showModal();
  $("help").addEventListener("click", openKeys);
  const KEYS = {
    " ": toggle, k: toggle,
    ArrowLeft: () => jump(position() - 5), ArrowRight: () => jump(position() + 5),
    j: () => jump(position() - 10), l: () => jump(position() + 10),
    ",": () => stepWord(-1), ".": () => stepWord(1),
    "[": () => stepSpeaker(-1), "]": () => stepSpeaker(1),
    "<": () => stepChapter(-1), ">": () => stepChapter(1),
    "/": () => { query.focus(); query.select(); },
    n: () => goToHit(1), p: () => goToHit(-1),
    f: () => $("follow").click(), c: flipCaptions, s: share,
    "-": () => stepSpeed(-1), "+": () => stepSpeed(1), "=": () => stepSpeed(1),
    "?": openKeys,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (["PageUp", "PageDown", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) follow(false);
    const at = event.target;
    if (!keysOn.checked || document.querySelector("dialog[open]")) return;
    if (at.isContentEditable || at.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
    if (event.key === " " && at.matches("button, a, input, summary")) return;
    if (event.key.startsWith("Arrow") && at.matches("input")) return;
    const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  $("play").addEventListener("click", toggle);
  $("back").addEventListener("click", () => jump(position() - 10));
  $("ahead").addEventListener("click", () => jump(position() + 10));
  $("share").addEventListener("click", share);

  // ---- Begin.
  root.classList.add("live");
  for (const id of ["find", "controls", "seek", ...(chapters.length ? ["chapter"] : [])]) $(id).hidden = false;
  audio.controls = false;
  collect();
  theme(kept("theme"));
  speed(Number(kept("speed")) || 1);
  captionsAsKept();
  if ("mediaSession" in navigator) {
    const metadata = { title: document.querySelector("h1")?.textContent, artist: document.querySelector(".show")?.textContent ?? "" };
    navigator.mediaSession.metadata = new MediaMetadata(metadata);
    navigator.mediaSession.setActionHandler("seekbackward", () => jump(position() - 10));
    navigator.mediaSession.setActionHandler("seekforward", () => jump(position() + 10));
    if (chapters.length) {
      navigator.mediaSession.setActionHandler("previoustrack", () => stepChapter(-1));
      navigator.mediaSession.setActionHandler("nexttrack", () => stepChapter(1));
    }
  }
  show(0);
  goToHash();

  window.episcribe = Object.freeze({
    jump, position, say, toast, toggle,
    section: () => sectionOf(current),
    word: () => spans[current],
    refresh() {  // the words were changed
      const before = following;
      following = false;
      collect();
      offsets = [];
      show(position());
      search();
      following = before;
    },
  });
})();
