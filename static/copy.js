// Copy buttons: revealed here, so that without JavaScript there is none that does nothing.
"use strict";

const announcement = document.querySelector("[data-copied]");

// navigator.clipboard exists in secure contexts only; over plain http a selection does it.
function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  field.readOnly = true;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function say(button, sentence) {
  const label = button.querySelector("[data-label]");
  label.textContent = sentence;
  announcement.textContent = sentence;
  clearTimeout(button.revert);
  button.revert = setTimeout(() => {
    label.textContent = "Copy";
    announcement.textContent = "";
  }, 2000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await copy(button.dataset.copy);
    button.focus();
    say(button, copied ? "Copied" : "Not copied");
  });
}
