// The worker site's own script: the countdown, and the way on when the frame has handed in.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const remembered = (key) => { try { return localStorage.getItem(key) === "1"; } catch { return false; } };
  const remember = (key, on) => { try { localStorage.setItem(key, on ? "1" : "0"); } catch { /* private window */ } };

  // Handed in, inside the frame: the page around it goes on; nothing else can be told from here.
  const submitted = byId("submitted");
  if (submitted && window.parent !== window) {
    window.parent.postMessage("photojury:submitted", "*");
    return;
  }
  const accept = byId("accept");
  if (submitted && accept && remembered("auto-" + submitted.dataset.group)) {
    accept.requestSubmit();
    return;
  }

  const back = byId("back");
  if (back) back.addEventListener("click", () => history.back());

  const frame = byId("task");
  if (!frame || !frame.dataset.submitted) return;

  // A forged message leads only to a page that checks with the server what was handed in.
  window.addEventListener("message", (event) => {
    if (event.source === frame.contentWindow && event.data === "photojury:submitted") {
      try { localStorage.removeItem("draft-" + frame.dataset.id); } catch { /* private window */ }
      clearTimeout(waiting);
      location.replace(frame.dataset.submitted);
    }
  });
  // Once only: a focus that moves while a key is down loses the key.
  const toTask = () => { if (document.activeElement === document.body) frame.focus(); };
  frame.addEventListener("load", toTask);

  const auto = byId("auto");
  if (auto) {
    auto.checked = remembered("auto-" + auto.dataset.group);
    auto.addEventListener("change", () => remember("auto-" + auto.dataset.group, auto.checked));
  }

  // Unfinished answers: kept in this browser at once, and at the server a moment later, each with its time.
  const draftKey = "draft-" + frame.dataset.id;
  const stored = (text) => { try { return JSON.parse(text) || {}; } catch { return {}; } };
  const local = () => { try { return stored(localStorage.getItem(draftKey)); } catch { return {}; } };
  const newest = () => [local(), stored(frame.dataset.draft)].sort((a, b) => (b.at || 0) - (a.at || 0))[0].draft ?? null;
  let waiting = null;
  const keep = (draft) => {
    const text = JSON.stringify({ at: Date.now(), draft: String(draft) });
    try { localStorage.setItem(draftKey, text); } catch { /* private window */ }
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const csrf = document.querySelector("#return [name=csrf]");
      if (!csrf) return; // a test: what is kept of it stays in this browser
      const body = new URLSearchParams({ csrf: csrf.value, draft: text });
      fetch(`/tasks/${frame.dataset.id}/draft`, { method: "POST", body, keepalive: text.length < 50000 }).catch(() => {});
    }, 800);
  };

  // Pictures for the frame: it has no origin, so the browser keeps no cache for it, but one for this page.
  const ours = /^\/images\/[0-9a-f]{64}\.[a-z0-9]+$/;
  const allowed = (url) => {
    const target = new URL(url, location.href);
    return target.origin === location.origin ? ours.test(target.pathname) : target.protocol === "https:";
  };
  const picture = async (url) => {
    if (!allowed(url)) throw new Error("not a picture");
    // Nothing of this worker's goes along: the frame must not see with the worker's eyes.
    const answer = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  };
  const hand = async (url) => {
    try {
      const answer = await picture(url);
      const bytes = await answer.arrayBuffer();
      const type = answer.headers.get("content-type") || "";
      frame.contentWindow.postMessage({ photojury: "picture", url, bytes, type }, "*", [bytes]);
    } catch {
      frame.contentWindow.postMessage({ photojury: "picture", url, failed: true }, "*");
    }
  };
  // The next task's pictures, once this task's have come.
  const prepare = async () => {
    try {
      const { pictures } = await (await fetch(`/tasks/${frame.dataset.id}/next`)).json();
      for (const url of pictures) await (await picture(url)).arrayBuffer();
    } catch { /* the next task will load them itself */ }
  };
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || typeof event.data !== "object" || event.data === null) return;
    const { photojury, draft, url } = event.data;
    if (photojury === "hello") {
      // Keys belong to the task from its first question on, not only once all of its pictures have loaded.
      toTask();
      const state = { photojury: "state", draft: newest(), done: Number(frame.dataset.done) };
      frame.contentWindow.postMessage(state, "*");
    } else if (photojury === "draft") keep(draft);
    else if (photojury === "picture" && typeof url === "string") hand(url);
    else if (photojury === "loaded") prepare();
  });

  const clock = byId("clock");
  const alarm = byId("alarm");
  const end = performance.now() + clock.dataset.seconds * 1000;
  const say = (text) => { if (alarm.textContent !== text) { alarm.hidden = false; alarm.textContent = text; } };
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    const hours = Math.floor(left / 3600);
    const minutes = Math.floor(left / 60) % 60;
    const seconds = String(left % 60).padStart(2, "0");
    clock.textContent = hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
    if (left === 0) {
      say("The time for this task is over; it can no longer be handed in.");
      clearInterval(timer);
    } else if (left <= 60) {
      say("Less than a minute is left.");
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
})();
