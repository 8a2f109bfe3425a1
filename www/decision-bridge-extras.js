// What runs beside the decisions, for pages whose options ask for it: consent tools, the visitor's
// identity, the way back. `www/bridge.js` fetches it.
import { makeExtras } from "./extras.js";

const { extras } = window[Symbol.for("decision-bridge")];
if (extras) extras(makeExtras);
