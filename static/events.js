// What a page reports of itself, fire and forget; where there is no tracker, nothing happens.
"use strict";

// Going back, or loading the page again, is no second search.
const [navigation] = performance.getEntriesByType("navigation");
const again = navigation && navigation.type !== "navigate";

if (!again) {
  for (const event of document.querySelectorAll("template[data-track]")) {
    window.umami?.track(event.dataset.track, JSON.parse(event.dataset.trackValues));
  }
}
