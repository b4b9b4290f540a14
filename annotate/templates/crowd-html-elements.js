// What Amazon's script of this name did for rating pages: <crowd-form> and the elements that one rates with.
// The form is sent as one field, taskAnswers: a JSON list with one object, names to values. Checkboxes and radio
// buttons give {name: {value: true or false}}, classifiers {name: {label: ...}}, sliders a number, the rest its text.
// Scripts of a page find what they look for: `value` and `checked` of an element, and a submit event of the
// <crowd-form> that they can prevent. Elements that a script adds later become alive too.
"use strict";
(() => {
  const query = new URLSearchParams(location.search);
  const assignment = query.get("assignmentId") || "";
  const isPreview = !assignment || assignment === "ASSIGNMENT_ID_NOT_AVAILABLE";
  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const ready = (action) => (document.readyState === "loading"
    ? document.addEventListener("DOMContentLoaded", action) : action());
  const attribute = (element, name, otherwise = "") => element.getAttribute(name) ?? otherwise;

  // Each kind of element: how it becomes one of HTML's own, with `answer` for its part of taskAnswers.
  const kinds = {
    "crowd-input": (element) => field(element, make("input", {
      type: attribute(element, "type", "text"), value: attribute(element, "value"), placeholder: attribute(element, "placeholder"),
    })),
    "crowd-text-area": (element) => field(element, make("textarea", {
      value: attribute(element, "value"), rows: Number(attribute(element, "rows", 4)), placeholder: attribute(element, "placeholder"),
    })),
    "crowd-slider": (element) => {
      const slider = make("input", { type: "range" });
      for (const name of ["min", "max", "step"]) if (element.hasAttribute(name)) slider.setAttribute(name, attribute(element, name));
      slider.value = attribute(element, "value", attribute(element, "min", "0"));
      const shown = make("output", { textContent: slider.value });
      slider.addEventListener("input", () => { shown.textContent = slider.value; });
      field(element, slider, () => Number(slider.value));
      element.append(" ", shown);
    },
    "crowd-checkbox": (element) => choice(element, "checkbox"),
    "crowd-radio-button": (element) => choice(element, "radio"),
    "crowd-button": (element) => {
      const send = attribute(element, "form-action") === "submit";
      element.replaceChildren(make("button", { type: send ? "submit" : "button", disabled: send && isPreview }, ...element.childNodes));
    },
    "crowd-classifier": classifier,
    "crowd-image-classifier": classifier,
    "crowd-instructions": (element) => {
      element.replaceChildren(make("details", {}, make("summary", { textContent: attribute(element, "link-text", "Instructions") }), ...element.childNodes));
    },
  };
  const mirror = (element, name, control) => Object.defineProperty(element, name, {
    get: () => control[name], set: (value) => { control[name] = value; }, configurable: true,
  });
  function field(element, control, read = () => control.value) {
    control.required = element.hasAttribute("required");
    control.disabled = element.hasAttribute("disabled");
    if (element.hasAttribute("max-length")) control.maxLength = Number(attribute(element, "max-length"));
    const label = attribute(element, "label");
    element.replaceChildren(label ? make("label", {}, label, " ", control) : control);
    mirror(element, "value", control);
    element.answer = () => [[attribute(element, "name"), read()]];
  }
  function choice(element, type) {
    const group = element.closest("crowd-radio-group");
    const on = (name) => element.hasAttribute(name);
    const control = make("input", { type, checked: on("checked"), required: on("required"), disabled: on("disabled") });
    if (type === "radio") control.name = `crowd ${attribute(group || element, "name")}${group ? [...document.querySelectorAll("crowd-radio-group")].indexOf(group) : ""}`;
    element.replaceChildren(make("label", {}, control, " ", ...element.childNodes));
    mirror(element, "checked", control);
    element.answer = () => [[attribute(element, "name"), { [attribute(element, "value", "on")]: control.checked }]];
  }
  // A JSON list, or one in single quotes, as most pages have it.
  function list(text) {
    for (const json of [text, text.replace(/'/g, '"')]) try { return JSON.parse(json); } catch { /* the other way */ }
    return [];
  }
  function classifier(element) {
    const labels = list(attribute(element, "categories", "[]"));
    const box = make("fieldset", {}, make("legend", { textContent: attribute(element, "header") }));
    const source = attribute(element, "src");
    if (source) box.append(make("img", { src: source, alt: "" }));
    const target = element.querySelector("classification-target");
    if (target) box.append(...target.childNodes);
    for (const label of labels) {
      box.append(make("label", {}, make("input", { type: "radio", name: `crowd ${attribute(element, "name")}`, value: label, required: true }), ` ${label}`));
    }
    const more = [...element.querySelectorAll("full-instructions, short-instructions")].map((part) => make("details", {},
      make("summary", { textContent: attribute(part, "header", "Instructions") }), ...part.childNodes));
    element.replaceChildren(...more, box);
    const chosen = () => ({ label: box.querySelector("input:checked")?.value ?? "" });
    Object.defineProperty(element, "value", { get: chosen, configurable: true });
    element.answer = () => [[attribute(element, "name"), chosen()]];
  }

  // "a.b" names become {a: {b: ...}}, unless the form says answer-format="flatten-objects".
  function put(answers, name, value, flat) {
    const parts = flat ? [name] : name.split(".");
    let at = answers;
    for (const part of parts.slice(0, -1)) at = at[part] = typeof at[part] === "object" ? at[part] : {};
    const last = parts.at(-1);
    at[last] = typeof value === "object" && typeof at[last] === "object" ? { ...at[last], ...value } : value;
  }
  function flattened(answers, before = "") {
    return Object.assign({}, ...Object.entries(answers).map(([name, value]) => (typeof value === "object" && value !== null
      ? flattened(value, `${before}${name}.`) : { [`${before}${name}`]: value })));
  }

  function form(element) {
    const flat = attribute(element, "answer-format") === "flatten-objects";
    const sent = make("form", { method: "post", action: `${query.get("turkSubmitTo") || ""}/mturk/externalSubmit` }, ...element.childNodes);
    const hidden = (name, value) => make("input", { type: "hidden", name, value });
    const answers = hidden("taskAnswers", "");
    sent.append(hidden("assignmentId", assignment), answers);
    if (!sent.querySelector("[type=submit], crowd-button[form-action=submit]")) {
      sent.append(make("p", {}, make("button", { type: "submit", textContent: "Submit", disabled: isPreview })));
    }
    sent.addEventListener("submit", (event) => {
      event.stopPropagation();
      // The page's own check listens to the <crowd-form>, and may keep it from being sent.
      if (isPreview || !element.dispatchEvent(new Event("submit", { cancelable: true }))) { event.preventDefault(); return; }
      const found = {};
      for (const part of sent.querySelectorAll("*")) {
        if (part.answer) for (const [name, value] of part.answer()) put(found, name, value, flat);
        else if (part.matches("input[name], select[name], textarea[name]") && !part.name.startsWith("crowd ")
          && part !== answers && part.name !== "assignmentId" && !part.closest("crowd-input, crowd-text-area")) {
          if (part.type === "checkbox" || part.type === "radio") put(found, part.name, { [part.value]: part.checked }, flat);
          else put(found, part.name, part.value, flat);
        }
      }
      // The page's own fields go inside taskAnswers, not beside it.
      for (const part of sent.elements) if (part !== answers && part.name && part.name !== "assignmentId") part.removeAttribute("name");
      answers.value = JSON.stringify([flat ? flattened(found) : found]);
    });
    element.replaceChildren(sent);
  }
  const built = new WeakSet();
  function build(element) {
    const name = element.localName;
    if (built.has(element) || !name.startsWith("crowd-")) return;
    built.add(element);
    if (kinds[name]) kinds[name](element);
    else if (name === "crowd-form") form(element);
    else if (element.hasAttribute("name") && name !== "crowd-radio-group") {
      // Sent without it, the answer would lack what was asked for, and nobody would know why.
      element.replaceChildren(make("p", { textContent: `This marketplace has no <${name}>; please return this task and tell the requester.` }));
    }
  }
  ready(() => {
    for (const element of document.querySelectorAll("*")) build(element);
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE) for (const element of [node, ...node.querySelectorAll("*")]) build(element);
      }
    }).observe(document.documentElement, { childList: true, subtree: true });
  });
})();
