"use strict";
// One page for one HIT: shows each question's picture or pair, takes one answer, and sends all of them.
// The data's units are in planned order; order and sides are drawn here, from the HIT and the worker, so that
// every rater sees another order and a reload shows the same one.
const data = JSON.parse(document.getElementById("task-data").textContent);
const query = new URLSearchParams(location.search);
const assignment = query.get("assignmentId") || "";
const onTrial = data.trial;
const isPreview = !onTrial && (!assignment || assignment === "ASSIGNMENT_ID_NOT_AVAILABLE");
const element = (id) => document.getElementById(id);
const stage = element("stage"), note = element("note"), answers = element("answers"), send = element("send");

// A 32-bit FNV-1a hash seeds mulberry32.
function generator(text) {
  let state = 2166136261;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
const random = generator([data.seed, data.hit, query.get("workerId") || ""].join("|"));
const items = data.units.map((unit) => ({ unit: unit.unit, pictures: [...unit.pictures] }));
for (let i = items.length - 1; i > 0; i--) {
  const j = Math.floor(random() * (i + 1));
  [items[i], items[j]] = [items[j], items[i]];
}
for (const item of items) if (item.pictures.length > 1 && random() < 0.5) item.pictures.reverse();

const nameOf = (url) => url.split("/").pop().split(".")[0];
const narrow = matchMedia("(max-aspect-ratio: 4/5)");
const sideWord = (side) => (side === "first" ? (narrow.matches ? "Upper " : "Left ")
  : side === "second" ? (narrow.matches ? "Lower " : "Right ") : "");
const keyName = (key) => ({ ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" })[key] || key;
// The arrow that points at the picture, as the two stand now.
const bestKey = (keys) => keys[narrow.matches && keys[1] && keys[1].startsWith("Arrow") ? 1 : 0];
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// Time with the page in front.
let active = 0, frontSince = document.visibilityState === "visible" ? performance.now() : null, timesHidden = 0;
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") frontSince = performance.now();
  else {
    if (frontSince !== null) active += performance.now() - frontSince;
    frontSince = null;
    timesHidden += 1;
  }
});
const activeSeconds = () => (active + (frontSince === null ? 0 : performance.now() - frontSince)) / 1000;

const loaded = new Map();  // url -> promise of a decoded image
function load(url) {
  if (!loaded.has(url)) {
    const image = new Image();
    image.src = url;
    image.alt = "";
    loaded.set(url, image.decode().then(() => image));
  }
  return loaded.get(url);
}
function preload(from) {
  for (const item of items.slice(from, from + 3))
    for (const url of item.pictures) load(url).catch(() => loaded.delete(url));
}

let at = 0, visibleSince = null;
const inputs = { keyboard: 0, pointer: 0 };

async function show(index) {
  at = index;
  visibleSince = null;
  const item = items[at];
  item.visits = (item.visits || 0) + 1;
  send.hidden = true;
  stage.hidden = answers.hidden = false;
  element("progress").textContent = `${at + 1} of ${items.length}`;
  element("back").disabled = at === 0;
  setAnswers(false);
  stage.replaceChildren();
  const slow = setTimeout(() => { note.textContent = "Loading…"; }, 400);
  try {
    const images = await Promise.all(item.pictures.map(load));
    if (items[at] !== item) return;
    images.forEach((image, place) => {
      const figure = document.createElement("figure");
      const copy = image.cloneNode();
      copy.alt = data.pictures === 1 ? "Photo to rate" : `${sideWord(place ? "second" : "first")}photo`;
      if (data.kind === "forced_choice")
        copy.onclick = () => { inputs.pointer += 1; answer(data.choices[place].value); };
      figure.append(copy);
      stage.append(figure);
    });
    await Promise.all([...stage.querySelectorAll("img")].map((image) => image.decode()));
  } catch {
    if (items[at] === item) failed(item);
    return;
  } finally {
    clearTimeout(slow);
  }
  // The picture is on the screen once a frame with it has been painted: two frames from now.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (items[at] !== item || stage.hidden) return;
    visibleSince = performance.now();
    note.textContent = isPreview ? "This is a preview. Accept the HIT to answer." : "";
    setAnswers(!isPreview);
    preload(at + 1);
  }));
}

function failed(item) {
  note.textContent = data.pictures === 1 ? "This photo did not load." : "These photos did not load.";
  const again = button("Try again", () => {
    item.pictures.forEach((url) => loaded.delete(url));
    note.textContent = "";
    show(at);
  });
  note.append(" ", again);
  if (!isPreview) note.append(" ", button("Skip it", () => {
    note.textContent = "";
    Object.assign(item, { value: null, ms: null, failed: true });
    next();
  }));
  again.focus();
}
function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.onclick = action;
  return made;
}

function answer(value) {
  if (visibleSince === null || isPreview) return;
  const item = items[at];
  delete item.failed;
  Object.assign(item, { value, ms: Math.round(performance.now() - visibleSince) });
  next();
}
function next() {
  if (at + 1 < items.length) show(at + 1);
  else finish();
}
function back() {
  if (!send.hidden) show(items.length - 1);
  else if (at > 0) show(at - 1);
}

function finish() {
  visibleSince = null;
  stage.hidden = answers.hidden = true;
  note.textContent = onTrial ? "This was a trial: nothing is sent." : "";
  element("progress").textContent = `All ${items.length} answered`;
  element("back").disabled = false;
  send.hidden = false;
  for (const part of send.querySelectorAll("p, button")) part.hidden = onTrial;
  element("submit").focus();
}

send.addEventListener("submit", () => {
  send.action = `${query.get("turkSubmitTo") || ""}/mturk/externalSubmit`;
  send.elements.assignmentId.value = assignment;
  send.elements.answers.value = JSON.stringify(items.map((item, position) => ({
    unit: item.unit, shown: item.pictures.map(nameOf), value: item.value, position, ms: item.ms,
    visits: item.visits, ...(item.failed ? { failed: true } : {}),
  })));
  send.elements.page.value = JSON.stringify({
    active_seconds: Math.round(activeSeconds() * 10) / 10, viewport: [innerWidth, innerHeight],
    pixel_ratio: devicePixelRatio, stacked: narrow.matches && data.pictures > 1, times_hidden: timesHidden, ...inputs,
  });
  element("submit").disabled = true;
});

// The answers' buttons.
for (const choice of data.choices) {
  const made = button("", () => answer(choice.value));
  made.dataset.value = choice.value;
  made.addEventListener("click", (event) => { inputs[event.detail ? "pointer" : "keyboard"] += 1; }, true);
  answers.append(made);
}
function label() {
  [...answers.children].forEach((made, index) => {
    const choice = data.choices[index];
    const hint = choice.hint ? `<small></small>` : "";
    made.innerHTML = `<span></span>${hint}<kbd></kbd>`;
    made.querySelector("span").textContent = capital(`${sideWord(choice.side)}${choice.label}`);
    if (hint) made.querySelector("small").textContent = choice.hint;
    made.querySelector("kbd").textContent = keyName(bestKey(choice.keys));
    if (data.kind === "stars") made.setAttribute("aria-label", `${choice.value} of ${data.choices.length} stars`);
  });
}
function setAnswers(enabled) {
  for (const made of answers.children) {
    made.disabled = !enabled;
    made.setAttribute("aria-pressed", String(items[at].value === Number(made.dataset.value)));
  }
}
narrow.addEventListener("change", label);
label();

const keys = element("keys");
for (const choice of data.choices) {
  const term = document.createElement("dt"), text = document.createElement("dd");
  term.innerHTML = choice.keys.map(() => "<kbd></kbd>").join(" ");
  [...term.children].forEach((key, index) => { key.textContent = keyName(choice.keys[index]); });
  text.textContent = capital(`${sideWord(choice.side)}${choice.label}${choice.hint ? `: ${choice.hint}` : ""}`);
  keys.append(term, text);
}
const how = element("how");
element("help").onclick = () => how.showModal();
element("back").onclick = back;
document.addEventListener("keydown", (event) => {
  if (how.open || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "?") { how.showModal(); return; }
  if (event.key === "Backspace") { event.preventDefault(); back(); return; }
  const choice = send.hidden && data.choices.find(({ keys: all }) => all.includes(event.key));
  if (!choice) return;
  event.preventDefault();
  if (visibleSince !== null) inputs.keyboard += 1;
  answer(choice.value);
});
window.focus();
show(0);
