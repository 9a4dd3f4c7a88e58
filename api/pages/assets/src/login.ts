// `/login#token=…` (the link that `shieldctl up` prints) signs in by itself. A fragment never reaches a
// server or its logs, which a query string would.
const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
if (token) {
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  const form = document.querySelector<HTMLFormElement>("#token-form");
  const field = form?.querySelector<HTMLInputElement>("input[name=token]");
  if (form && field) {
    field.value = token;
    form.requestSubmit();
  }
}
export {};
