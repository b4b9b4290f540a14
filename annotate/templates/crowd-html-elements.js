// What Amazon's script of this name did for rating pages: <crowd-form> and the elements that one rates with.
// The form is sent as one field, taskAnswers: a JSON list with one object, names to values. Checkboxes and radio
// buttons give {name: {value: true or false}}, classifiers {name: {label: ...}}, everything else its text.
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
      field(element, slider);
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
  function field(element, control) {
    control.required = element.hasAttribute("required");
    control.disabled = element.hasAttribute("disabled");
    const label = attribute(element, "label");
    element.replaceChildren(label ? make("label", {}, label, " ", control) : control);
    element.answer = () => [[attribute(element, "name"), control.value]];
  }
  function choice(element, type) {
    const group = element.closest("crowd-radio-group");
    const control = make("input", { type, checked: element.hasAttribute("checked"), required: element.hasAttribute("required") });
    if (type === "radio") control.name = `crowd ${attribute(group || element, "name")}${group ? [...document.querySelectorAll("crowd-radio-group")].indexOf(group) : ""}`;
    element.replaceChildren(make("label", {}, control, " ", ...element.childNodes));
    element.answer = () => [[attribute(element, "name"), { [attribute(element, "value", "on")]: control.checked }]];
  }
  function classifier(element) {
    let labels = [];
    try { labels = JSON.parse(attribute(element, "categories", "[]").replace(/'/g, '"')); } catch { /* shown without choices */ }
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
    element.answer = () => [[attribute(element, "name"), { label: box.querySelector("input:checked")?.value ?? "" }]];
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
      if (isPreview) { event.preventDefault(); return; }
      element.dispatchEvent(new Event("submit"));
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
  ready(() => {
    for (const element of document.querySelectorAll("crowd-form")) form(element);
    for (const [name, build] of Object.entries(kinds)) for (const element of document.querySelectorAll(name)) build(element);
  });
})();
