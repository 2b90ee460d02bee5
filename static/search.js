// A search is sent once, however often Enter is pressed: each request is a search that is counted.
"use strict";

const PATIENCE = 5000; // milliseconds after which the same may be asked again on the same page

for (const form of document.querySelectorAll("form[role=search]")) {
  form.addEventListener("submit", (event) => {
    const asked = new URLSearchParams(new FormData(form)).toString();
    if (form.asked === asked) event.preventDefault();
    else setTimeout(() => delete form.asked, PATIENCE);
    form.asked = asked;
  });
  window.addEventListener("pageshow", () => delete form.asked);
}
