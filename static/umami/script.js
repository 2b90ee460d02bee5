// Page views and events for Umami, by its own protocol; used until the operator's tracker is fetched.
// No cookie, nothing kept, nothing tried again: a page works the same without it.
(() => {
  "use strict";

  const tag = document.currentScript;
  const option = (name) => tag.getAttribute(`data-${name}`);
  const website = option("website-id");
  const base = option("host-url") || tag.src.slice(0, tag.src.lastIndexOf("/"));
  const endpoint = `${base.replace(/\/$/, "")}/api/send`;
  const domains = (option("domains") || "").split(",").map((name) => name.trim()).filter(Boolean);

  let here = shown(location.href);
  let before = document.referrer.startsWith(location.origin) ? "" : document.referrer;
  let identity = null;
  let disabled = false;

  function shown(address) {
    const url = new URL(address, location.href);
    if (option("exclude-search") === "true") url.search = "";
    if (option("exclude-hash") === "true") url.hash = "";
    return url.href;
  }

  function unwanted() {
    const asked = [navigator.doNotTrack, window.doNotTrack].some((value) => value === "1" || value === "yes");
    return (
      disabled ||
      !website ||
      navigator.globalPrivacyControl === true ||
      (asked && option("do-not-track") === "true") ||
      (domains.length > 0 && !domains.includes(location.hostname))
    );
  }

  function view() {
    return {
      website,
      hostname: location.hostname,
      screen: `${screen.width}x${screen.height}`,
      language: navigator.language,
      title: document.title,
      url: here,
      referrer: before,
      tag: option("tag") || undefined,
      id: identity || undefined,
    };
  }

  async function send(type, payload) {
    if (unwanted()) return;
    const change = window[option("before-send")];
    const changed = typeof change === "function" ? await change(type, payload) : payload;
    if (!changed) return;
    const headers = { "Content-Type": "application/json" };
    try {
      const body = JSON.stringify({ type, payload: changed });
      const answer = await fetch(endpoint, { method: "POST", keepalive: true, credentials: "omit", headers, body });
      const told = await answer.json();
      disabled = Boolean(told.disabled);
    } catch {
      // Nobody waits for it.
    }
  }

  function track(event, data) {
    if (typeof event === "string") return send("event", { ...view(), name: event, data });
    if (typeof event === "function") return send("event", event(view()));
    if (typeof event === "object" && event) return send("event", { ...event });
    return send("event", view());
  }

  function identify(id, data) {
    if (typeof id === "string") identity = id;
    return send("identify", { ...view(), data: typeof id === "string" ? data : id });
  }

  function moved() {
    const now = shown(location.href);
    if (now === here) return;
    before = here;
    here = now;
    // The page that moved sets its title afterwards.
    setTimeout(track, 300);
  }

  function follow(name) {
    const original = history[name];
    history[name] = function (...state) {
      original.apply(this, state);
      moved();
    };
  }

  // Web vitals (web.dev/articles/vitals), sent once, when the page is hidden or left.
  function measure() {
    const vitals = {};
    const durations = new Map();
    let shift = { from: 0, until: 0, sum: 0 };
    const watch = (type, seen, more) => {
      if (!PerformanceObserver.supportedEntryTypes?.includes(type)) return;
      new PerformanceObserver((list) => list.getEntries().forEach(seen)).observe({ type, buffered: true, ...more });
    };
    const began = () => performance.getEntriesByType("navigation")[0]?.activationStart || 0;

    watch("paint", (entry) => {
      if (entry.name === "first-contentful-paint") vitals.fcp = Math.max(0, entry.startTime - began());
    });
    watch("largest-contentful-paint", (entry) => {
      vitals.lcp = Math.max(0, entry.startTime - began());
    });
    // The largest burst of shifts: each within a second of the last, five seconds in all.
    watch("layout-shift", (entry) => {
      if (entry.hadRecentInput) return;
      const now = entry.startTime;
      if (now - shift.until > 1000 || now - shift.from > 5000) shift = { from: now, until: now, sum: 0 };
      shift.until = now;
      shift.sum += entry.value;
      vitals.cls = Math.max(vitals.cls || 0, shift.sum);
    });
    watch("event", (entry) => {
      if (!entry.interactionId) return;
      durations.set(entry.interactionId, Math.max(durations.get(entry.interactionId) || 0, entry.duration));
      // The worst but for one in fifty.
      vitals.inp = [...durations.values()].sort((a, b) => b - a)[Math.floor(durations.size / 50)];
    }, { durationThreshold: 40 });

    let sent = false;
    const report = () => {
      if (sent) return;
      sent = true;
      const response = performance.getEntriesByType("navigation")[0]?.responseStart;
      if (response) vitals.ttfb = Math.max(0, response - began());
      if (Object.keys(vitals).length) send("performance", { ...view(), ...vitals });
    };
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") report();
    });
    window.addEventListener("pagehide", report);
  }

  function begin() {
    track();
    if (option("performance") === "true") measure();
    follow("pushState");
    follow("replaceState");
    window.addEventListener("popstate", moved);
  }

  function loaded() {
    if (document.readyState === "complete") begin();
    else window.addEventListener("load", begin, { once: true });
  }

  window.umami ||= { track, identify };
  if (option("auto-track") === "false") return;
  // A page that was made ahead of time counts when it is shown, or never.
  if (document.prerendering) document.addEventListener("prerenderingchange", loaded, { once: true });
  else loaded();
})();
