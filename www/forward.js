// The way back: what an analytics tool was told, spelled as commands for Optimizely Web.
import { cut, get, keys, put, text } from "./read.js";

/** The commands for an event `{tool, type, event, category, name, properties}`. */
export function commands({ tool, type, event, category, name, properties }, { track, namedPages, categorizedPages, revenue, onlyRevenueFor }) {
  const [what, group, title] = [event, category, name].map((value) => (typeof value === "string" ? value : ""));
  // As each tool's own Optimizely destination spells it, so that metrics keep their events.
  const segment = tool === "segment";
  const page = segment ? " Page" : " page";
  const wanted = [
    track && type === "track" && what,
    categorizedPages && type === "page" && group && "Viewed " + group + page,
    namedPages && type === "page" && title && "Viewed " + (segment && group ? group + " " : "") + title + page,
  ];
  return wanted.filter(Boolean).map((name) => {
    const counts = !onlyRevenueFor || onlyRevenueFor.includes(name);
    // Names of theirs may have no colon; the destinations of Segment and RudderStack put this.
    return { type: "event", eventName: cut(name.replace(/:/g, "_")), tags: tagsOf(properties, counts, revenue === "cents") };
  });
}

function tagsOf(properties, counts, cents) {
  const tags = {};
  for (const name of keys(properties)) {
    const value = get(properties, name);
    // These are refused unless they are numbers.
    if (/^(revenue|value|quantity)$/.test(name)) {
      const revenue = name === "revenue";
      const told = number(value, revenue && cents);
      if (revenue ? told && counts : told !== undefined) tags[name] = told;
    } else if (typeof value === "boolean" || Number.isFinite(value)) put(tags, cut(name), value);
    else if (typeof value !== "number" && text(value)) put(tags, cut(name), cut(text(value)));
    else if (value === "") put(tags, cut(name), "");
  }
  return tags;
}

// A number, or a text like `$1,234.50`, `1.234,50 €` or `-12`; with `cents` a hundred times as much, in
// whole ones. Read by its digits: floating point would lose cents.
function number(value, cents) {
  const told = text(value);
  const [, before, body] = /^(\D*)(\d(?:[\d.,' ]|[^\0-\x7f])*)\D*$/.exec(told) || [];
  if (!body || /\D{9}/.test(told)) return;
  // In `Rs.500` the point is none.
  const all = (/^[^a-z]*?([.,])/i.exec(before) || ["", ""])[1] + body;
  const digits = all.replace(/\D/g, "") + (cents ? "000" : "");
  const signs = all.replace(/[^.,]/g, "");
  const [last = ""] = /(.)\1*$/.exec(signs) || [];
  const after = last && all.slice(all.lastIndexOf(last[0]) + 1).replace(/\D/g, "").length;
  // It divides thousands where it is there twice, and where it is a comma before three digits.
  const fraction = last.length === 1 && !(signs === "," && after === 3) ? after : 0;
  if (digits.length > (cents ? 21 : 18)) return;
  const end = digits.length - fraction - (cents ? 1 : 0);
  const ones = digits.slice(0, end);
  const rest = digits.slice(end);
  const amount = cents ? +ones + (rest >= "5") : +(ones + "." + rest);
  return before.includes("-") ? -amount : amount;
}
