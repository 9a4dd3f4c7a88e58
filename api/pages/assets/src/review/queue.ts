// The queue without waiting: a decision moves on at once and is sent behind one's back; what the server
// refuses is brought back and said. The next items are fetched before they are needed.
import { fragment, must, toast } from "../lib/dom";
import { explain } from "./explanation";
import { bindKeys, keysDialog } from "./keys";

type Action = "approve" | "reject";
type State = "approved" | "rejected" | "skipped" | "failed";

interface Decision {
  message: string;
  undoable: boolean;
}

const WORDS: Record<State, string> = { approved: "✓ approved", rejected: "✕ rejected", skipped: "skipped", failed: "not decided" };
const AHEAD = 2;
const CLAIM_AFTER_MILLISECONDS = 800;

export function startQueue(root: HTMLElement): void {
  const list = must<HTMLOListElement>("#queue-list");
  const detail = must<HTMLElement>("#detail");
  const csrf = must<HTMLElement>("main").dataset.csrf ?? "";
  const pages = new Map<string, Promise<DocumentFragment>>();
  const sending = new Map<string, Promise<void>>();
  const decided: string[] = [];
  let claimTimer: number | undefined;
  let loadingMore: Promise<void> | undefined;

  const entries = (): HTMLAnchorElement[] => [...list.querySelectorAll<HTMLAnchorElement>("a.entry")];
  const entry = (id: string): HTMLAnchorElement | undefined => entries().find((each) => each.dataset.item === id);
  const current = (): HTMLAnchorElement | undefined => list.querySelector<HTMLAnchorElement>("a.entry[aria-current]") ?? undefined;
  const open = (): HTMLAnchorElement[] => entries().filter((each) => !each.dataset.state);

  function mark(id: string, state: State | null): void {
    const found = entry(id);
    if (!found) return;
    if (state) found.dataset.state = state;
    else delete found.dataset.state;
    must<HTMLElement>(".entry-state", found).textContent = state ? WORDS[state] : "";
    must("#waiting").textContent = String(Math.max(0, Number(root.dataset.total) - decided.length));
  }

  function page(id: string): Promise<DocumentFragment> {
    let found = pages.get(id);
    if (!found) {
      const noted = entry(id)?.dataset.noted ?? "";
      found = fragment(`/review/items/${encodeURIComponent(id)}?model=${root.dataset.model ?? ""}&noted=${noted}`);
      found.catch(() => pages.delete(id));
      pages.set(id, found);
    }
    return found;
  }

  async function show(target: HTMLAnchorElement | undefined): Promise<void> {
    for (const each of entries()) each.removeAttribute("aria-current");
    if (!target) {
      detail.replaceChildren(must<HTMLTemplateElement>("#all-done").content.cloneNode(true));
      return;
    }
    const id = target.dataset.item ?? "";
    target.setAttribute("aria-current", "true");
    if (window.matchMedia("(min-width: 861px)").matches) target.scrollIntoView({ block: "nearest" });
    try {
      const content = await page(id);
      if (current() !== target) return; // somebody was faster than the network
      detail.replaceChildren(content.cloneNode(true));
      window.history.replaceState(null, "", target.href);
      if (!window.matchMedia("(min-width: 861px)").matches) window.scrollTo({ top: 0 });
      settle(id);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "bad");
    }
    const ahead = open();
    const position = ahead.indexOf(target);
    for (const next of ahead.slice(position + 1, position + 1 + AHEAD)) void page(next.dataset.item ?? "").catch(() => undefined);
    if (ahead.length - position <= AHEAD + 1) void more();
  }

  /** What follows once an item stays on the screen: say that we are at it, show what the model saw. */
  function settle(id: string): void {
    const form = detail.querySelector("form.decision");
    form?.addEventListener("submit", submitted);
    window.clearTimeout(claimTimer);
    claimTimer = window.setTimeout(() => {
      if (current()?.dataset.item !== id) return;
      void post(`/review/items/${encodeURIComponent(id)}/claim`, new FormData()).catch(() => undefined);
    }, CLAIM_AFTER_MILLISECONDS);
    void explain(detail);
  }

  function submitted(event: Event): void {
    event.preventDefault();
    const button = (event as SubmitEvent).submitter as HTMLButtonElement | null;
    if (button?.value === "skip") skip();
    else decide(button?.value === "reject" ? "reject" : "approve");
  }

  async function post(url: string, form: FormData): Promise<Decision> {
    form.set("csrf", csrf);
    const answer = await fetch(url, { method: "POST", body: form, headers: { "X-Fragment": "1" }, credentials: "same-origin" });
    const body = (await answer.json().catch(() => ({}))) as Partial<Decision>;
    if (!answer.ok) throw new Error(body.message ?? `The server answered ${answer.status}.`);
    return { message: body.message ?? "", undoable: body.undoable ?? false };
  }

  function neighbour(step: 1 | -1): HTMLAnchorElement | undefined {
    const all = entries();
    const from = current() ? all.indexOf(current()!) : -1;
    for (let at = from + step; at >= 0 && at < all.length; at += step) if (!all[at]!.dataset.state) return all[at];
    return undefined;
  }

  /** The next open item: below, else from the top, else a skipped one comes back. */
  function following(): HTMLAnchorElement | undefined {
    const skipped = entries().find((each) => each.dataset.state === "skipped");
    const next = neighbour(1) ?? open()[0];
    if (next || !skipped) return next;
    mark(skipped.dataset.item ?? "", null);
    return skipped;
  }

  function decide(action: Action): void {
    const target = current();
    const form = detail.querySelector<HTMLFormElement>("form.decision");
    if (!target || !form || target.dataset.state) return;
    const id = target.dataset.item ?? "";
    const body = new FormData(form);
    body.set("action", action);
    decided.push(id);
    mark(id, action === "approve" ? "approved" : "rejected");
    const sent = post(form.getAttribute("action") ?? "", body)
      .then((answer) => toast(answer.message, "plain", answer.undoable ? ["Undo (U)", undo] : undefined))
      .catch((error: Error) => {
        decided.splice(decided.lastIndexOf(id), 1);
        mark(id, "failed");
        toast(error.message, "bad");
      });
    sending.set(id, sent);
    void loaded().then(() => show(following()));
  }

  function skip(): void {
    const target = current();
    if (!target) return;
    const last = open().length <= 1;
    if (!last) mark(target.dataset.item ?? "", "skipped");
    void loaded().then(() => show(following()));
  }

  function undo(): void {
    const id = decided.pop();
    if (id === undefined) return toast("There is nothing to undo here.");
    pages.delete(id);
    const before = sending.get(id) ?? Promise.resolve();
    void before
      .then(() => post(`/review/items/${encodeURIComponent(id)}/undo`, new FormData()))
      .then((answer) => {
        mark(id, null);
        toast(answer.message);
        return show(entry(id));
      })
      .catch((error: Error) => {
        decided.push(id);
        toast(error.message, "bad");
      });
  }

  function loaded(): Promise<void> {
    return open().length === 0 && root.dataset.next ? more() : Promise.resolve();
  }

  /** Append the next page of the line. */
  function more(): Promise<void> {
    const cursor = root.dataset.next;
    if (!cursor) return Promise.resolve();
    loadingMore ??= fragment(`/review/entries?model=${root.dataset.model ?? ""}&cursor=${encodeURIComponent(cursor)}`)
      .then((content) => {
        const known = new Set(entries().map((each) => each.dataset.item));
        root.dataset.next = content.querySelector<HTMLElement>("[data-next]")?.dataset.next ?? "";
        for (const item of content.querySelectorAll("li"))
          if (!known.has(item.querySelector<HTMLElement>("a.entry")?.dataset.item)) list.append(item);
      })
      .catch(() => undefined)
      .finally(() => (loadingMore = undefined));
    return loadingMore;
  }

  function toggleDetails(): void {
    const all = [...detail.querySelectorAll("details")];
    const unfold = all.some((each) => !each.open);
    for (const each of all) each.open = unfold;
  }

  function toggleScope(): void {
    const box = detail.querySelector<HTMLInputElement>("input[name=scope]");
    if (box) box.checked = !box.checked;
  }

  list.addEventListener("click", (event) => {
    const target = (event.target as Element).closest<HTMLAnchorElement>("a.entry");
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void show(target);
  });
  document.querySelector(".more")?.remove(); // pages load by themselves
  bindKeys({
    a: () => decide("approve"),
    r: () => decide("reject"),
    s: skip,
    u: undo,
    j: () => void show(neighbour(1) ?? current()),
    k: () => void show(neighbour(-1) ?? current()),
    o: toggleDetails,
    c: toggleScope,
    n: () => detail.querySelector<HTMLInputElement>("#notes")?.focus(),
    "?": keysDialog(),
  });
  const first = current();
  if (first) {
    settle(first.dataset.item ?? "");
    for (const next of open().slice(1, 1 + AHEAD)) void page(next.dataset.item ?? "").catch(() => undefined);
  }
}
