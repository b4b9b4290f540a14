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

  const frame = byId("task");
  if (!frame || !frame.dataset.submitted) return;

  // A forged message leads only to a page that checks with the server what was handed in.
  window.addEventListener("message", (event) => {
    if (event.source === frame.contentWindow && event.data === "photojury:submitted") {
      location.replace(frame.dataset.submitted);
    }
  });
  frame.addEventListener("load", () => frame.focus());

  const auto = byId("auto");
  auto.checked = remembered("auto-" + auto.dataset.group);
  auto.addEventListener("change", () => remember("auto-" + auto.dataset.group, auto.checked));

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
