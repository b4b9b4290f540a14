// One page for one HIT: shows each question's picture or pair, takes its answer, and sends all of them.
const query = new URLSearchParams(location.search);
const assignment = query.get("assignmentId") || "";
const onTrial = data.trial;
const isPreview = !onTrial && (!assignment || assignment === "ASSIGNMENT_ID_NOT_AVAILABLE");
const element = (id) => document.getElementById(id);
const stage = element("stage"), note = element("note"), answers = element("answers"), send = element("send");
const why = element("why"), table = element("attributes"), how = element("how");

let hasParent = false, items = [], at = 0, visibleSince = null, shownSince = null, pointer = "mouse";
const inputs = { keyboard: 0, mouse: 0, touch: 0, pen: 0 };

const nameOf = (url) => url.split("?")[0].split("/").pop().split(".")[0];
const narrow = matchMedia("(max-aspect-ratio: 4/5)");
const sideWord = (side) => (side === "first" ? (narrow.matches ? "Upper " : "Left ")
  : side === "second" ? (narrow.matches ? "Lower " : "Right ") : "");
const keyName = (key) => ({ ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" })[key] || key;
// The arrow that points at the picture, as the two stand now.
const bestKey = (keys) => keys[narrow.matches && keys[1] && keys[1].startsWith("Arrow") ? 1 : 0];
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
const button = (text, action) => make("button", { type: "button", textContent: text, onclick: action });

// Time with the page in front: of the HIT, and of the question that is on the screen.
let active = 0, frontSince = document.visibilityState === "visible" ? performance.now() : null, timesHidden = 0;
document.addEventListener("visibilitychange", () => {
  const now = performance.now();
  if (document.visibilityState === "visible") {
    frontSince = now;
    if (visibleSince !== null) shownSince = now;
    return;
  }
  if (frontSince !== null) active += now - frontSince;
  frontSince = null;
  countShown();
  timesHidden += 1;
});
const activeSeconds = () => (active + (frontSince === null ? 0 : performance.now() - frontSince)) / 1000;
function countShown() {
  if (shownSince === null) return;
  items[at].visible = (items[at].visible || 0) + performance.now() - shownSince;
  shownSince = null;
}
document.addEventListener("pointerdown", (event) => { pointer = event.pointerType || "mouse"; }, true);

async function show(index) {
  countShown();
  at = index;
  visibleSince = null;
  const item = items[at];
  item.visits = (item.visits || 0) + 1;
  send.hidden = true;
  element("work").hidden = false;
  if (why) why.hidden = true;
  const training = items.filter((one) => one.training).length;
  element("progress").textContent = item.training ? `Practice ${at + 1} of ${training}`
    : `${at + 1 - training} of ${items.length - training}`;
  element("back").disabled = at === 0 || (items[at - 1].training && !item.training);
  setAnswers(false);
  stage.replaceChildren();
  note.textContent = "";
  const slow = setTimeout(() => { note.textContent = "Loading…"; }, 400);
  try {
    const found = await Promise.all(item.pictures.map(load));
    if (items[at] !== item) return;
    item.load = Math.max(...found.map(({ ms }) => ms));
    found.forEach(({ image }, place) => {
      const copy = image.cloneNode();
      copy.dataset.picture = nameOf(item.pictures[place]);
      copy.alt = data.pictures === 1 ? "Photo to rate" : `${sideWord(place ? "second" : "first")}photo`;
      if (data.clickable) copy.onclick = () => answer(data.choices[place].value, pointer);
      stage.append(make("figure", {}, copy));
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
    if (items[at] !== item || element("work").hidden || how.open) return;
    begin(item);
  }));
}
function begin(item) {
  visibleSince = shownSince = performance.now();
  const picture = stage.querySelector("img");
  const box = picture.getBoundingClientRect();
  item.natural = [picture.naturalWidth, picture.naturalHeight];
  item.size = [Math.round(box.width), Math.round(box.height)];
  note.textContent = isPreview ? "This is a preview. Accept the HIT to answer." : "";
  setAnswers(!isPreview);
  preload(at + 1);
}

function failed(item) {
  note.textContent = data.pictures === 1 ? "This photo did not load." : "These photos did not load.";
  const again = button("Try again", () => {
    item.pictures.forEach((url) => pictures.delete(url));
    show(at);
  });
  note.append(" ", again);
  if (!isPreview) note.append(" ", button("Skip it", () => {
    Object.assign(item, { value: null, values: undefined, ms: null, failed: true });
    next();
  }));
  again.focus();
}

// An answer to the question on the screen; `input` says by what it was given.
function answer(value, input) {
  if (visibleSince === null || isPreview) return;
  const item = items[at];
  delete item.failed;
  inputs[input] += 1;
  Object.assign(item, { value, input, ms: Math.round(performance.now() - visibleSince) });
  if (item.training) { setAnswers(true); explain(item); }
  else if (table || why) { setAnswers(true); hold(); }
  else next();
}
// Attributes, or a reason, come with the answer: the rater goes on by Next.
function hold() {
  if (why) {
    why.hidden = false;
    element("reason").value = items[at].reason || "";
    element("reason").focus();
  }
  setAttributes(true);
  keep();
}
function explain(item) {
  const right = item.value === item.expected;
  const wanted = data.choices.find(({ value }) => value === item.expected);
  const said = right ? "Yes." : `Most people would say: ${wanted ? sided(item, wanted) : item.expected}.`;
  note.textContent = `${said} ${item.why || ""}`;
  note.append(" ", button("Continue", next));
  note.querySelector("button").focus();
}
// A pair's expected answer counts from the unit's first picture, which may stand on either side.
const sided = (item, choice) => `${sideWord(choice.side)}${choice.label}`.toLowerCase();

function next() {
  countShown();
  if (why && !items[at].training && !items[at].failed) items[at].reason = element("reason").value.trim();
  visibleSince = null;
  keep();
  if (at + 1 < items.length) show(at + 1);
  else finish();
}
const complete = (item) => item.value !== undefined
  && (!table || item.failed || data.attributes.every((name) => item.values && item.values[name] !== undefined));
function proceed() {
  if (visibleSince !== null && complete(items[at])) next();
}
function back() {
  if (!send.hidden) show(items.length - 1);
  else if (!element("back").disabled) show(at - 1);
}

function finish() {
  visibleSince = null;
  element("work").hidden = true;
  note.textContent = "";
  element("progress").textContent = "All answered";
  element("back").disabled = false;
  send.hidden = false;
  for (const part of send.querySelectorAll("p, button")) part.hidden = onTrial;
  if (onTrial) send.append(make("p", { textContent: "This was a trial: nothing is sent." }));
  element("submit").focus();
}

const round = (number) => (number === undefined ? undefined : Math.round(number));
send.addEventListener("submit", () => {
  send.action = `${query.get("turkSubmitTo") || ""}/mturk/externalSubmit`;
  send.elements.assignmentId.value = assignment;
  send.elements.answers.value = JSON.stringify(items.map((item, position) => ({
    unit: item.unit, shown: item.pictures.map(nameOf), value: item.value, position, ms: item.ms,
    visits: item.visits, load: item.load, visible: round(item.visible), natural: item.natural, size: item.size,
    input: item.input, values: item.values, reason: item.reason || undefined,
    ...(item.failed ? { failed: true } : {}),
  })));
  send.elements.page.value = JSON.stringify({
    active_seconds: Math.round(activeSeconds() * 10) / 10, viewport: [innerWidth, innerHeight],
    pixel_ratio: devicePixelRatio, stacked: narrow.matches && data.pictures > 1, times_hidden: timesHidden, ...inputs,
  });
  element("submit").disabled = true;
});

// Unfinished answers: told to the page around after every answer, and back from it after a reload.
function keep() {
  if (!hasParent || isPreview) return;
  const kept = items.map(({ unit, value, values, ms, input, visits, visible, reason, failed: gone, natural, size, load: took }) => (
    { unit, value, values, ms, input, visits, visible, reason, failed: gone, natural, size, load: took }));
  const draft = JSON.stringify({ kept, active: activeSeconds() * 1000, timesHidden });
  window.parent.postMessage({ photojury: "draft", draft }, "*");
}
function restore(draft) {
  try {
    const { kept, active: before, timesHidden: hidden } = JSON.parse(draft);
    for (const old of kept) Object.assign(items.find(({ unit }) => unit === old.unit) || {}, old);
    active += before;
    timesHidden += hidden;
  } catch { return 0; /* of another version of this page: begin anew */ }
  const open = items.findIndex((item) => !complete(item));
  return open === -1 ? items.length : open;
}

// The answers' buttons.
for (const choice of data.choices) {
  const made = button("", (event) => answer(choice.value, event.detail ? pointer : "keyboard"));
  made.dataset.value = choice.value;
  answers.append(made);
}
function label() {
  [...answers.children].forEach((made, index) => {
    const choice = data.choices[index];
    made.replaceChildren(make("span", { textContent: capital(`${sideWord(choice.side)}${choice.label}`) }));
    if (choice.hint) made.append(make("small", { textContent: choice.hint }));
    made.append(make("kbd", { textContent: keyName(bestKey(choice.keys)) }));
    if (choice.spoken) made.setAttribute("aria-label", choice.hint ? `${choice.spoken}, ${choice.hint}` : choice.spoken);
  });
}
function setAnswers(enabled) {
  for (const made of answers.children) {
    made.disabled = !enabled;
    made.setAttribute("aria-pressed", String(items[at].value === Number(made.dataset.value)));
  }
  setAttributes(enabled);
}
narrow.addEventListener("change", label);
label();

// Attributes: a row each, with one button for each level.
if (table) {
  for (const name of data.attributes) {
    const row = make("div", { role: "group" });
    row.setAttribute("aria-label", name);
    row.append(make("span", { textContent: capital(name) }));
    for (const level of data.levels) {
      const made = button(level.sign, (event) => rate(name, level.value, event.detail ? pointer : "keyboard"));
      made.dataset.value = level.value;
      made.setAttribute("aria-label", level.label);
      made.title = level.label;
      row.append(made);
    }
    table.append(row);
  }
  table.append(button("All others: no effect", () => {
    for (const name of data.attributes) if (items[at].values?.[name] === undefined) rate(name, 0, pointer);
  }));
}
function rate(name, value, input) {
  if (visibleSince === null || isPreview) return;
  inputs[input] += 1;
  items[at].values = { ...items[at].values, [name]: value };
  items[at].ms = Math.round(performance.now() - visibleSince);
  setAttributes(true);
  keep();
}
const openRow = () => data.attributes.findIndex((name) => items[at].values?.[name] === undefined);
function setAttributes(enabled) {
  if (!table) return;
  const open = enabled && items[at].value !== undefined ? openRow() : -1;
  [...table.querySelectorAll("[role=group]")].forEach((row, index) => {
    row.classList.toggle("open", index === open);
    for (const made of row.querySelectorAll("button")) {
      made.disabled = !enabled;
      made.setAttribute("aria-pressed", String(items[at].values?.[data.attributes[index]] === Number(made.dataset.value)));
    }
  });
  table.lastElementChild.disabled = !enabled;
  element("next").disabled = !enabled || !complete(items[at]);
}

const keys = element("keys");
const explained = (names, text) => {
  const term = document.createElement("dt");
  names.forEach((key, index) => term.append(index ? " " : "", make("kbd", { textContent: keyName(key) })));
  keys.append(term, make("dd", { textContent: capital(text) }));
};
for (const choice of data.choices) {
  explained(choice.keys, `${sideWord(choice.side)}${choice.spoken || choice.label}${choice.hint ? `: ${choice.hint}` : ""}`);
}
if (table) for (const level of data.levels) explained(level.keys, `the attribute: ${level.label}`);
if (element("next")) { element("next").onclick = proceed; explained(["Enter"], "next"); }
explained(["⌫"], "back");

element("help").onclick = instruct;
function instruct() {
  for (const image of how.querySelectorAll("img[data-src]:not([src])")) load(image.dataset.src).then(({ image: got }) => { image.src = got.src; }, () => {});
  how.showModal();
}
how.addEventListener("close", () => {
  element("close").textContent = "Close";
  if (visibleSince === null && send.hidden && stage.querySelector("img")) begin(items[at]);
});
element("back").onclick = back;
document.addEventListener("keydown", (event) => {
  if (how.open || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target === element("reason")) {
    if (event.key === "Enter") { event.preventDefault(); proceed(); }
    return;
  }
  if (event.key === "?") { instruct(); return; }
  if (event.key === "Backspace") { event.preventDefault(); back(); return; }
  if (!send.hidden) return;
  const choice = data.choices.find(({ keys: all }) => all.includes(event.key));
  const level = table && items[at]?.value !== undefined && data.levels.find(({ keys: all }) => all.includes(event.key));
  const row = level && visibleSince !== null ? openRow() : -1;
  if (row >= 0) { event.preventDefault(); rate(data.attributes[row], level.value, "keyboard"); return; }
  if (choice) { event.preventDefault(); answer(choice.value, "keyboard"); return; }
  if (event.key === "Enter" && table && event.target.tagName !== "BUTTON") { event.preventDefault(); proceed(); }
});

// Begin: the page around this one may know how much this worker has done, and what they had answered.
function start(done, draft) {
  items = order(data, query.get("workerId") || "", done);
  const first = draft ? restore(draft) : 0;
  window.focus();
  if (first === items.length) finish();
  else show(first);
  if (!draft && !done && !isPreview) instruct();
}
if (window.parent === window) start(null, null);
else {
  let started = false;
  const begun = (...given) => { if (!started) { started = true; start(...given); } };
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || typeof event.data !== "object" || event.data === null) return;
    if (event.data.photojury === "state" && !started) { hasParent = true; begun(event.data.done, event.data.draft); }
    else if (event.data.photojury === "picture") handed(event.data);
  });
  // Its script may not have begun to listen yet, and elsewhere nobody answers.
  const hello = setInterval(() => { if (started) clearInterval(hello); else window.parent.postMessage({ photojury: "hello" }, "*"); }, 50);
  setTimeout(() => begun(null, null), 1000);
}
