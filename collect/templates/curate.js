// The curation page: moving, deciding and taking back, by keyboard or touch. Every decision is sent at once and in
// order; what the page shows is what the server answered.
"use strict";

const cards = [...document.querySelectorAll(".card")];
const large = document.getElementById("large");
const help = document.getElementById("help");
const why = document.getElementById("why");
const said = document.getElementById("said");
const counts = { kept: Number(document.body.dataset.kept), rejected: Number(document.body.dataset.rejected) };
const WIDE = matchMedia("(min-width: 44.01rem)"); // where the filters always stand open
const MEMORY = "photojury.curation.decided"; // of this tab: what can be taken back
let at = 0;
let silence = 0;
let queue = Promise.resolve();

const button = (card) => card.querySelector(".open");
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function stands(card) {
  const { status, hand, rule, reason } = card.dataset;
  if (status === "kept") return hand ? "kept by hand" : "kept";
  if (rule === "curation") return `rejected by hand${reason && reason !== "rejected by hand" ? `: ${reason}` : ""}`;
  return `rejected: ${reason || rule}`;
}

function paint(card) {
  const { status, name, reason, rule } = card.dataset;
  card.querySelector(".says").textContent = status === "kept" ? name : sentence(reason || rule);
  button(card).setAttribute("aria-label", `${card.dataset.name}, ${stands(card)}`);
}

function say(text, bad = false) {
  (large.open ? large : document.body).append(said); // what lies behind an open dialog is neither seen nor read out
  said.textContent = text;
  said.classList.toggle("bad", bad);
  clearTimeout(silence);
  if (!bad) silence = setTimeout(() => { said.textContent = ""; }, 6000);
}

function move(to, focus = true) {
  if (!cards.length) return;
  button(cards[at]).tabIndex = -1;
  at = Math.max(0, Math.min(cards.length - 1, to));
  button(cards[at]).tabIndex = 0;
  if (large.open) enlarge();
  else if (focus) button(cards[at]).focus();
}

// How many cards stand in a row now: the window may have another width than before.
function columns() {
  const top = cards[0].offsetTop;
  const next = cards.findIndex((card) => card.offsetTop !== top);
  return next === -1 ? cards.length : next;
}

function follow(id) {
  const link = document.getElementById(id);
  if (link) location.assign(link.href);
  else say(id === "next" ? "This is the last page." : "This is the first page.");
}

// ---- deciding ----

function remembered() {
  return JSON.parse(sessionStorage.getItem(MEMORY) || "[]");
}

function remember(list) {
  sessionStorage.setItem(MEMORY, JSON.stringify(list.slice(-1000)));
}

async function send(image, status, reason) {
  const answer = await fetch("/decide", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Photojury-Secret": document.body.dataset.secret },
    body: JSON.stringify({ image_id: image, status, reason }),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function show(image, now) {
  const card = cards.find((one) => one.dataset.id === image);
  if (!card) return null;
  Object.assign(card.dataset, { status: now.status, hand: now.by_hand ? "yes" : "", rule: now.rule || "", reason: now.reason || "" });
  paint(card);
  return card;
}

// After a decision the two counts are asked for by nobody: they move with what the answer says.
function count(before, after) {
  if (before === after) return;
  counts[before] -= 1;
  counts[after] += 1;
  for (const name of ["kept", "rejected"]) document.getElementById(name).textContent = counts[name].toLocaleString("en");
}

function work(card, task) {
  card?.setAttribute("aria-busy", "true");
  queue = queue.then(task).catch((error) => say(`Not done: ${error.message || "the server does not answer"}`, true))
    .finally(() => card?.removeAttribute("aria-busy"));
  return queue;
}

function decide(card, status) {
  const { id, name } = card.dataset;
  const reason = status === "rejected" ? why.value : "";
  work(card, async () => {
    const before = card.dataset.status;
    const now = await send(id, status, reason);
    remember([...remembered(), { id, name, before: now.before }]);
    show(id, now);
    count(before, now.status);
    say(`${sentence(stands(card))}: ${name}`);
    if (large.open && cards[at] === card) enlarge();
  });
}

function undo() {
  work(null, async () => {
    const list = remembered();
    const last = list.pop();
    if (!last) {
      say("There is nothing to take back.");
      return;
    }
    const card = cards.find((one) => one.dataset.id === last.id);
    const before = card?.dataset.status;
    const now = await send(last.id, last.before.status, last.before.reason || "");
    remember(list);
    if (card) {
      show(last.id, now);
      count(before, now.status);
      move(cards.indexOf(card));
    }
    say(`Taken back: ${last.name} is ${now.status}${card ? "" : " (it is on another page)"}`);
  });
}

function decideAndGoOn(status) {
  if (!cards.length) return;
  decide(cards[at], status);
  if (at < cards.length - 1) move(at + 1);
  else if (!large.open) button(cards[at]).focus();
}

// ---- the large view ----

const text = (tag, content, kind) => {
  const made = document.createElement(tag);
  made.textContent = content;
  if (kind) made.className = kind;
  return made;
};

function table(rows) {
  const made = document.createElement("table");
  for (const [label, value, kind] of rows) {
    const row = made.insertRow();
    row.append(text("th", label, kind));
    row.insertCell().append(value instanceof Node ? value : text("span", value, kind));
  }
  return made;
}

async function enlarge() {
  const card = cards[at];
  const { id, name } = card.dataset;
  document.getElementById("name").textContent = name;
  document.getElementById("stands").textContent = sentence(stands(card));
  const picture = document.getElementById("picture");
  if (!picture.src.endsWith(`/large/${id}`)) picture.src = `/large/${id}`;
  picture.alt = name;
  if (!large.open) large.showModal();
  const answer = await fetch(`/facts/${id}`);
  if (!answer.ok || cards[at] !== card) return;
  document.getElementById("facts").replaceChildren(...told(await answer.json()));
}

function told(facts) {
  const source = facts.page_url ? text("a", facts.source) : facts.source;
  if (facts.page_url) Object.assign(source, { href: facts.page_url, target: "_blank", rel: "noreferrer" });
  const known = [["source", source], ["by", facts.author || "–"], ["licence", facts.license_id || "not stated"],
    ["size", `${facts.width} × ${facts.height}, ${facts.format}, ${Math.max(1, Math.round(facts.bytes / 1000)).toLocaleString("en")} kB`]];
  const parts = [table(known)];
  if (facts.checks.length) {
    const rows = facts.checks.map((check) => [
      check.verdict === "fail" ? `✕ ${check.reason || check.check}` : check.check.replaceAll("_", " "),
      check.value === null ? "–" : String(Number(check.value.toPrecision(3))),
      check.verdict === "fail" ? "fail" : "",
    ]);
    parts.push(text("h3", "Measures"), table(rows));
  }
  if (facts.decisions.length) {
    const list = document.createElement("ul");
    for (const made of facts.decisions) {
      const when = new Date(made.decided_at * 1000).toLocaleString();
      const what = made.status === "auto" ? "left to the checks" : made.status;
      list.append(text("li", `${what}${made.reason ? `: ${made.reason}` : ""}, ${made.decided_by || "?"}, ${when}`));
    }
    parts.push(text("h3", "Decisions"), list);
  }
  return parts;
}

// ---- keys and touch ----

const KEYS = {
  ArrowLeft: () => move(at - 1),
  ArrowRight: () => move(at + 1),
  ArrowUp: () => move(large.open ? at - 1 : at < columns() ? at : at - columns()),
  ArrowDown: () => move(large.open ? at + 1 : at + columns() < cards.length ? at + columns() : at),
  Home: () => move(0),
  End: () => move(cards.length - 1),
  k: () => decideAndGoOn("kept"),
  r: () => decideAndGoOn("rejected"),
  a: () => decideAndGoOn("auto"),
  u: undo,
  n: () => follow("next"),
  p: () => follow("previous"),
  w: () => why.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = event.target.matches("input, select, textarea");
  if (event.target === why && (event.key === "Enter" || event.key === "Escape")) {
    event.preventDefault();
    move(at);
    return;
  }
  if (inField || help.open) return;
  if (event.key === "?") {
    event.preventDefault();
    help.showModal();
    return;
  }
  if (event.key === "Enter" && large.open && !event.target.matches("button, a")) {
    event.preventDefault();
    large.close();
    return;
  }
  // Keys hold where the pictures have the focus (WCAG 2.2, 2.1.4), and in their large view.
  if (!large.open && !event.target.closest("#sheet") && event.target !== document.body) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || (large.open && event.key === "w")) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-decide]");
  const card = event.target.closest(".card");
  if (chosen && card) {
    decide(card, chosen.dataset.decide);
    move(cards.indexOf(card));
  } else if (chosen) decideAndGoOn(chosen.dataset.decide);
  else if (event.target.closest("[data-undo]")) undo();
  else if (event.target.closest("[data-move]")) move(at + Number(event.target.closest("[data-move]").dataset.move));
  else if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  else if (event.target.closest("#ask")) help.showModal();
  else if (event.target.closest(".open")) {
    move(cards.indexOf(card), false);
    enlarge();
  }
});

large.addEventListener("close", () => move(at));
for (const image of document.querySelectorAll(".frame img")) {
  image.addEventListener("error", () => image.classList.add("gone"));
}
const unfold = () => { document.getElementById("filters").open = WIDE.matches; };
WIDE.addEventListener("change", unfold);
unfold();
cards.forEach(paint);
why.value = sessionStorage.getItem(`${MEMORY}.why`) || "";
why.addEventListener("change", () => sessionStorage.setItem(`${MEMORY}.why`, why.value));
if (cards.length) button(cards[0]).focus({ preventScroll: true });
