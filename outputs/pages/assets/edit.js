// The edit page: shows what the server says the transcript is, and asks it to change things. Runs after player.js.
(() => {
  const $ = (id) => document.getElementById(id);
  const main = $("transcript"), player = window.episcribe;
  let state = null, rows = [], editing = null, busy = Promise.resolve();

  const make = (tag, props = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };
  const nameOf = (label) => state.speakers.find((one) => one.label === label)?.name ?? label ?? "";
  const colourOf = (label) => state.speakers.find((one) => one.label === label)?.colour;
  const plain = (segment) => segment.words.map(([, text]) => text).join("").trim();

  // ---- What the server says.
  async function fetchState(options) {
    const answer = await fetch(options ? "edits" : "state", options);
    const said = await answer.json();
    if (answer.status === 409) { note(said.error, true); return fetchState(); }
    if (!answer.ok) throw new Error(said.error);
    return said;
  }
  function act(action) {  // one after the other: each is about the state that the one before left
    busy = busy.then(async () => {
      note("Saving …");
      try {
        const body = JSON.stringify({ ...action, revision: state.revision });
        show(await fetchState({ method: "POST", headers: { "Content-Type": "application/json" }, body }));
      } catch (error) {
        note(error instanceof TypeError ? "Not saved: the server does not answer. Is `episcribe edit` still running?" : error.message, true);
      }
    });
    return busy;
  }
  function note(text, failed = false) {
    $("saved").textContent = text;
    $("saved").classList.toggle("failed", failed);
  }

  // ---- Showing it. Rows that did not change stay as they are.
  function show(next) {
    const before = new Map(rows.map((row) => [row.key, row]));
    state = next;
    rows = state.segments.map((segment, index) => {
      const key = JSON.stringify([segment, nameOf(segment.speaker), colourOf(segment.speaker)]);
      const row = before.get(key) ?? { key, element: build(segment) };
      before.delete(key);
      row.element.dataset.index = index;
      row.element.querySelector(".join").disabled = index === 0;
      return row;
    });
    const focused = main.contains(document.activeElement) ? document.activeElement.closest("section")?.dataset.index : null;
    rows.forEach((row, at) => {
      if (main.children[at] !== row.element) main.insertBefore(row.element, main.children[at] ?? null);
    });
    while (main.children.length > rows.length) main.lastChild.remove();
    if (focused !== null && focused !== undefined) rows[Math.min(focused, rows.length - 1)]?.element.querySelector(".edit").focus({ preventScroll: true });
    $("undo").disabled = !state.undo;
    $("redo").disabled = !state.redo;
    $("undo").title = state.undo;
    $("redo").title = state.redo;
    const doubtful = state.segments.filter((segment) => segment.unsure).length;
    $("next-unsure").hidden = !doubtful;
    $("next-unsure").textContent = `Next unsure speaker (${doubtful})`;
    const count = state.corrections;
    if (!$("saved").classList.contains("failed")) note(count ? `${count} correction${count > 1 ? "s" : ""}, saved` : "No corrections yet");
    $("waiting").hidden = !state.waiting.length;
    $("waiting").querySelector("summary").textContent = `${state.waiting.length} no longer fit the words`;
    $("waiting").querySelector("ul").replaceChildren(...state.waiting.map((text) => make("li", { dir: "auto" }, text)));
    draw();
    player.refresh();
  }
  function draw() {  // who speaks when and how much, as it is by now
    const svg = $("when"), drawn = state.drawing;
    svg.setAttribute("viewBox", `0 0 ${drawn.width} ${drawn.height}`);
    svg.setAttribute("height", drawn.height);
    for (const path of svg.querySelectorAll(":scope > path")) path.remove();
    for (const lane of drawn.lanes) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", `s${lane.colour}`);
      path.setAttribute("d", lane.path);
      svg.insertBefore(path, $("ticks"));
    }
    const list = document.querySelector(".speakers"), model = list?.querySelector("li");
    list?.replaceChildren(...drawn.lanes.map((lane) => {
      const item = model.cloneNode(true);
      item.className = `s${lane.colour}`;
      item.querySelector(".name").textContent = lane.name;
      item.querySelector(".share").textContent = `${lane.percent} % · ${lane.time}`;
      item.querySelector("rect:last-child").setAttribute("width", lane.percent);
      return item;
    }));
  }
  function build(segment) {
    const name = nameOf(segment.speaker), colour = colourOf(segment.speaker);
    const words = segment.words.flatMap(([start, text]) => {
      const bare = text.trimStart();
      const span = make("span", {}, bare);
      span.dataset.t = start;
      return [text === bare ? "" : " ", ...(bare ? [span] : [])];
    });
    const seconds = Math.round(segment.start * 1000) / 1000;
    const doubt = segment.unsure ? [make("span", { className: "doubt" }, "unsure")] : [];
    const time = make("a", { href: `#t=${seconds}` }, clock(seconds));
    const heading = make("h3", {}, make("button", { type: "button", className: "name", title: "Say who speaks" }, name || "Nobody"), ...doubt, time);
    const button = (className, text, label) => make("button", { type: "button", className, ariaLabel: label ?? null }, text);
    const acts = make("div", { className: "acts" }, button("edit", "Edit"), button("split", "Split before the marked word"), button("join", "Join with the one before"));
    const row = make("section", colour === null || colour === undefined ? {} : { className: `s${colour}` });
    row.append(heading, make("p", { dir: "auto", lang: segment.language }, ...words), acts);
    return row;
  }
  function clock(seconds) {
    const s = Math.floor(seconds), two = (n) => String(n).padStart(2, "0"), h = Math.floor(s / 3600);
    return `${h ? `${h}:` : ""}${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  }

  // ---- Words.
  function edit(row) {
    if (!row || editing) { editing?.area.focus(); return; }
    const index = Number(row.dataset.index), text = plain(state.segments[index]);
    const area = make("textarea", { value: text, ariaLabel: "Words of the segment", dir: "auto", spellcheck: true });
    area.lang = state.segments[index].language;
    const save = make("button", { type: "button" }, "Save"), cancel = make("button", { type: "button" }, "Cancel");
    const hint = make("span", { className: "share" }, "Enter saves, Esc cancels");
    const box = make("div", { className: "acts" }, save, cancel, hint);
    const paragraph = row.querySelector("p"), acts = row.querySelector(".acts");
    paragraph.hidden = acts.hidden = true;
    row.append(area, box);
    editing = { row, area };
    area.focus();
    const close = () => {
      editing = null;
      area.remove();
      box.remove();
      paragraph.hidden = acts.hidden = false;
      row.querySelector(".edit").focus({ preventScroll: true });
    };
    const keep = () => {
      const typed = area.value;
      close();
      if (typed.trim() !== text) act({ do: "text", segment: index, text: typed });
    };
    save.addEventListener("click", keep);
    cancel.addEventListener("click", close);
    area.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); keep(); }
      if (event.key === "Escape") { event.preventDefault(); close(); }
      if (event.key === " " && event.ctrlKey) { event.preventDefault(); player.toggle(); }
    });
  }
  function split(row) {
    const word = player.word();
    if (!word || word.closest("section") !== row) { note("Click the word that the new segment begins with, then split.", true); return; }
    const index = Number(row.dataset.index), spans = [...row.querySelectorAll("span[data-t]")];
    let nth = -1;  // words without letters have no span
    const at = state.segments[index].words.findIndex(([, text]) => text.trim() && ++nth === spans.indexOf(word));
    act({ do: "split", segment: index, word: at });
  }
  const join = (row) => { if (row && row.dataset.index !== "0") act({ do: "join", segment: Number(row.dataset.index) }); };

  // ---- Speakers.
  let asking = null;
  function ask(row) {
    if (!row) return;
    asking = Number(row.dataset.index);
    const label = state.segments[asking].speaker;
    $("choices").replaceChildren(...state.speakers.map((one) => {
      const radio = make("input", { type: "radio", name: "who", value: one.label, checked: one.label === label });
      const dot = make("span", { className: "dot" });
      dot.ariaHidden = "true";
      return make("label", { className: `choice${one.colour === null ? "" : ` s${one.colour}`}` }, radio, dot, make("bdi", {}, one.name));
    }));
    $("new-name").value = "";
    $("new-choice").checked = !state.speakers.length;
    $("rename").hidden = !label;
    $("old-name").textContent = nameOf(label);
    $("name").value = nameOf(label);
    $("who").showModal();
  }
  $("new-name").addEventListener("input", () => { $("new-choice").checked = true; });
  $("assign").addEventListener("submit", (event) => {
    event.preventDefault();
    const label = new FormData(event.target).get("who");
    $("who").close();
    act({ do: "speaker", segment: asking, speaker: label ?? "", name: $("new-name").value });
  });
  $("rename").addEventListener("submit", (event) => {
    event.preventDefault();
    $("who").close();
    act({ do: "rename", speaker: state.segments[asking].speaker, name: $("name").value });
  });
  $("who").querySelector(".cancel").addEventListener("click", () => $("who").close());

  function nextUnsure(row) {  // after this one, and round again
    const doubtful = rows.filter((_, index) => state.segments[index].unsure).map(({ element }) => element);
    const next = doubtful.find((one) => Number(one.dataset.index) > Number(row?.dataset.index ?? -1)) ?? doubtful[0];
    next?.querySelector(".name").focus();
    next?.scrollIntoView({ block: "center" });
  }
  const here = () => main.contains(document.activeElement) ? document.activeElement.closest("section") ?? player.section() : player.section();

  // ---- Buttons and keys.
  const ACTS = { edit, split, join, name: ask };
  main.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const name = button && Object.keys(ACTS).find((one) => button.classList.contains(one));
    if (name) ACTS[name](button.closest("section"));
  });
  main.addEventListener("dblclick", (event) => { if (event.target.closest("p")) edit(event.target.closest("section")); });
  let seen = null;
  $("next-unsure").addEventListener("click", () => { nextUnsure(seen); seen = here(); });
  $("undo").addEventListener("click", () => act({ do: "undo" }));
  $("redo").addEventListener("click", () => act({ do: "redo" }));
  const KEYS = { e: edit, a: ask, x: split, m: join, u: nextUnsure };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, select, input:not([type=range]):not([type=checkbox]):not([type=radio])");
    if (typing || event.isComposing || document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && ["z", "y"].includes(event.key.toLowerCase())) {
      event.preventDefault();
      const again = event.key.toLowerCase() === "y" || event.shiftKey;
      if (again ? state.redo : state.undo) act({ do: again ? "redo" : "undo" });
      return;
    }
    const action = KEYS[event.key.toLowerCase()];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || !$("keys-on").checked) return;
    event.preventDefault();
    action(here());
  });
  addEventListener("beforeunload", (event) => { if (editing) event.preventDefault(); });

  fetchState().then(show, (error) => note(error.message, true));
})();
