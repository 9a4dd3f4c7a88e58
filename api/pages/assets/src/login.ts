// `/login#token=…` (the link that `shieldctl up` prints) asks before it signs in, and says as whom: whoever sends such
// a link to somebody else would have them work in a name that is not theirs. A fragment never reaches a server or
// its logs, which a query string would.
import { must } from "./lib/dom";

interface Claims {
  sub?: unknown;
  roles?: unknown;
}

/** What a token claims. The server checks it when it is sent; here it is only named. */
function claimsOf(token: string): Claims | null {
  try {
    const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Claims;
  } catch {
    return null;
  }
}

const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
const form = document.querySelector<HTMLFormElement>("#token-form");
if (token && form) {
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  must<HTMLInputElement>("input[name=token]", form).value = token;
  const claims = claimsOf(token);
  if (claims && typeof claims.sub === "string") {
    const roles = Array.isArray(claims.roles) ? claims.roles.join(", ") : "";
    must("#link-who", form).textContent = claims.sub;
    must("#link-roles", form).textContent = roles && `(${roles})`;
    must<HTMLElement>("#by-link", form).hidden = false;
    must<HTMLElement>("#by-hand", form).hidden = true;
    const button = must<HTMLButtonElement>("button", form);
    button.textContent = `Sign in as ${claims.sub}`;
    button.focus();
  }
}
