// What Mechanical Turk's script of this name did for question pages: put the assignment's id into the form,
// and lock its button in the preview.
function turkGetParam(name, defaultValue) {
  const value = new URLSearchParams(window.location.search).get(name);
  return value === null ? (defaultValue === undefined ? "" : defaultValue) : value;
}
function turkGetSubmitToHost() {
  return turkGetParam("turkSubmitTo", "");
}
function turkSetAssignmentID(formName, buttonName) {
  const assignmentId = turkGetParam("assignmentId", "");
  const preview = assignmentId === "ASSIGNMENT_ID_NOT_AVAILABLE";
  const button = document.getElementById(buttonName || "submitButton");
  if (button && preview) {
    button.disabled = true;
    button.value = "You must ACCEPT the HIT before you can submit the results.";
  }
  const field = document.getElementById("assignmentId");
  if (field) field.value = assignmentId;
  const form = document.getElementById(formName || "mturk_form");
  const host = turkGetSubmitToHost();
  if (form && host) form.action = host + "/mturk/externalSubmit";
}
