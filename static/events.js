// What a page reports of itself, fire and forget; where there is no tracker, nothing happens.
"use strict";

for (const event of document.querySelectorAll("template[data-track]")) {
  window.umami?.track(event.dataset.track, JSON.parse(event.dataset.trackValues));
}
