// The drop page: drag and drop, progress. Without this script the form posts the file itself.
"use strict";

const form = document.querySelector("[data-upload]");
const input = form.querySelector("input[type=file]");
const part = (name) => form.querySelector(`[data-${name}]`);
const progress = form.querySelector("progress");
let running = null;

function say(sentence) {
  // Only what is new is written, so that it is not read out again and again.
  if (part("status").textContent !== sentence) part("status").textContent = sentence;
}

function travelling(yes) {
  part("travel").hidden = !yes;
  form.querySelector(".drop-field").hidden = yes;
  part("submit").hidden = true;
  progress.value = 0;
  if (yes) part("cancel").focus();
}

function refuse(answer) {
  travelling(false);
  part("sentence").textContent = answer.error;
  part("advice").textContent = answer.advice || "";
  const link = part("link");
  const elsewhere = answer.link && new URL(answer.link).pathname !== location.pathname;
  link.hidden = !elsewhere;
  if (elsewhere) {
    link.href = new URL(answer.link).pathname;
    link.textContent = answer.link_name;
  }
  part("problem").hidden = false;
  input.setAttribute("aria-invalid", "true");
  input.value = "";
  input.focus();
}

function answered(request) {
  running = null;
  let answer = null;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    answer = null;
  }
  if (request.status === 201 && answer) {
    say("Opened.");
    window.umami?.track("save_uploaded", { tool: form.dataset.upload, report: request.report });
    location.assign(new URL(answer.page).pathname);
  } else if (answer && answer.error) {
    refuse(answer);
  } else {
    refuse({ error: "The server gave no answer that can be read.", advice: "Please try again." });
  }
}

function travelled(event) {
  if (!event.lengthComputable || !event.total) return;
  const percent = Math.floor((100 * event.loaded) / event.total);
  progress.value = percent;
  say(percent < 100 ? `Sending: ${25 * Math.floor(percent / 25)} %` : "Reading the file …");
  if (percent === 100) progress.removeAttribute("value");
}

function send(file) {
  if (running) return;
  part("problem").hidden = true;
  input.removeAttribute("aria-invalid");
  if (file.size > Number(form.dataset.limit)) {
    const limit = Number(form.dataset.limit) / 1048576;
    refuse({ error: `The file is larger than ${limit} MiB.`, advice: "Choose the file that the game wrote." });
    return;
  }
  const request = new XMLHttpRequest();
  running = request;
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  // This page and the portal both report the upload, under one key: whichever comes first is taken,
  // so that a blocked collector loses nothing.
  request.report = crypto.getRandomValues(new Uint32Array(4)).join("-");
  request.setRequestHeader("X-Report-Key", request.report);
  request.upload.addEventListener("progress", travelled);
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => {
    running = null;
    refuse({ error: "The connection broke off.", advice: "Please try again." });
  });
  const body = new FormData();
  body.append(input.name, file, file.name);
  travelling(true);
  say("Sending …");
  request.send(body);
}

part("cancel").addEventListener("click", () => {
  if (running) running.abort();
  running = null;
  travelling(false);
  say("");
  input.value = "";
  input.focus();
});

input.addEventListener("change", () => {
  if (input.files.length) send(input.files[0]);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) send(input.files[0]);
});

// A file that is dropped beside the field must not replace the page.
let depth = 0;

function dragging(change) {
  depth = Math.max(0, depth + change);
  document.documentElement.classList.toggle("dragging", depth > 0);
}

document.addEventListener("dragenter", () => dragging(1));
document.addEventListener("dragleave", () => dragging(-1));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dragging(-depth);
  const files = event.dataTransfer.files;
  if (files.length > 1) {
    refuse({ error: "These are several files.", advice: "Drop one at a time." });
  } else if (files.length) {
    send(files[0]);
  }
});

// Back from the next page: as at first. Browsers put the chosen file back into the field, and to
// choose it again would be no change.
window.addEventListener("pageshow", () => {
  if (running) return;
  travelling(false);
  input.value = "";
});
input.addEventListener("click", () => {
  input.value = "";
});

for (const words of form.querySelectorAll("[data-droppable]")) words.hidden = false;
part("submit").hidden = true;
