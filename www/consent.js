// Consent tools that are asked instead of telling us: what each says now, and how it is noticed
// that it says something else. None of them is trusted to be there, to answer, or to answer once.
import { attempt } from "./read.js";

// Each: `look()` says true (granted), false (refused) or undefined (not asked yet, or not there);
// `listen(again)` asks for a call of `again` at every change, and says whether it could. A tool
// that comes late is listened to when it has come.
const TOOLS = {
  googleConsentMode: {
    listen(again) {
      const layer = (window.dataLayer = window.dataLayer || []);
      const { push } = layer;
      layer.push = function (...entries) {
        const result = push.apply(this, entries);
        again();
        return result;
      };
      return true;
    },
    look(category = "analytics_storage") {
      let state;
      for (const entry of window.dataLayer) {
        const told = entry && entry[0] === "consent" && entry[2] && entry[2][category];
        // A default of "denied" is how the tool waits; only an update is the visitor's answer.
        if (told) state = told === "granted" || (entry[1] === "update" ? false : undefined);
      }
      return state;
    },
  },

  oneTrust: {
    listen: (again) => !addEventListener("OneTrustGroupsUpdated", again),
    look(category = "C0002") {
      const { OnetrustActiveGroups: active, OneTrust: tool } = window;
      if (typeof active !== "string") return;
      // Before the visitor has answered, what is not active is not refused.
      return active.split(",").includes(category) || (tool && tool.IsAlertBoxClosed() ? false : undefined);
    },
  },

  cookiebot: {
    listen(again) {
      for (const name of ["ConsentReady", "Accept", "Decline"]) addEventListener("CookiebotOn" + name, again);
      return true;
    },
    look(category = "statistics") {
      const { consent, hasResponse } = window.Cookiebot || {};
      return consent && (consent[category] === true || (hasResponse ? false : undefined));
    },
  },

  tcf: {
    listen(again) {
      if (typeof window.__tcfapi !== "function") return false;
      window.__tcfapi("addEventListener", 2, (told, ok) => {
        if (!ok || !/^(tcloaded|useractioncomplete)$/.test(told.eventStatus)) return;
        const { 1: store, 8: measure } = told.purpose.consents;
        this.told = told.gdprApplies === false || !!(store && measure);
        again();
      });
      return true;
    },
    look() {
      return this.told;
    },
  },

  // Segment's own wrapper stamps every event with the categories the visitor agreed to, and drops
  // what it must. Where the visitor has to agree first, analytics.js loads only then.
  segment: {
    listen(again) {
      const { analytics } = window;
      if (!analytics || !analytics.addSourceMiddleware) return false;
      analytics.addSourceMiddleware(({ payload, next }) => {
        attempt(() => {
          this.told = payload.obj.context.consent.categoryPreferences;
          again();
        });
        next(payload);
      });
      return true;
    },
    look(category) {
      const { initialized, settings, queue } = window.analytics || {};
      if (this.told) return category ? this.told[category] === true : Object.values(this.told).includes(true);
      return initialized ? settings.writeKey !== "" || queue.plugins.length > 0 : undefined;
    },
  },

  gpc: { listen: () => true, look: () => navigator.globalPrivacyControl !== true },
  dnt: { listen: () => true, look: () => navigator.doNotTrack !== "1" },
};

// Asks the tools that the options name, and tells what they come to: everybody has to agree. Answers
// with what looks again, for tools that are not there yet.
export function askConsent({ consentFrom, consentCategory, consentDefault, maxWaitMs }, tell) {
  const listening = new Set();
  let told;
  const decide = (granted) => granted !== undefined && granted !== told && tell((told = granted));
  const look = () => {
    let all = true;
    for (const name of consentFrom) {
      const tool = TOOLS[name];
      if (!listening.has(name) && attempt(() => tool.listen(look))) listening.add(name);
      const says = attempt(() => tool.look(consentCategory || undefined));
      if (says === false || all === false) all = false;
      else if (says !== true) all = undefined;
    }
    decide(all);
  };
  if (!consentFrom.length) return () => {};
  look();
  if (told === undefined && consentDefault !== "hold") setTimeout(() => told === undefined && decide(consentDefault === "grant"), maxWaitMs);
  return look;
}
