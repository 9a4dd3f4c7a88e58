// The queue without waiting: a decision moves on at once and is sent behind one's back; what the server
// refuses is brought back and said. The next items are fetched before they are needed.
import { fragment, must, toast } from "../lib/dom";
import { send } from "../lib/send";
import { watchArrivals } from "./arrivals";
import { Claims } from "./claims";
import { chooseReason, needsReason, toggleDetails, toggleScope } from "./detail";
import { forgetDraft, keepDrafts, restoreDraft } from "./drafts";
import { explain, explainAhead } from "./explanation";
import { startGuide } from "./guide";
import { fieldsOf, formOf, keep, letGo, offerKept, type Action, type Kept } from "./kept";
import { bindKeys, keysDialog } from "./keys";
import { middle, Pace } from "./pace";
import { outcomeOf, WORDS, type State } from "./refusals";

interface Decision {
  message: string;
  undoable: boolean;
}

const AHEAD = 2;
const WIDE = window.matchMedia("(min-width: 861px)");

export function startQueue(root: HTMLElement): void {
  const list = must<HTMLOListElement>("#queue-list");
  const detail = must<HTMLElement>("#detail");
  const undoButton = must<HTMLButtonElement>("#undo");
  const csrf = must<HTMLElement>("main").dataset.csrf ?? "";
  const who = root.dataset.who ?? "";
  const claims = new Claims(detail, csrf);
  const pace = new Pace();
  const pages = new Map<string, Promise<DocumentFragment>>();
  const sending = new Map<string, Promise<void>>();
  const decided: string[] = [];
  let loadingMore: Promise<void> | undefined;

  const entries = (): HTMLAnchorElement[] => [...list.querySelectorAll<HTMLAnchorElement>("a.entry")];
  const entry = (id: string): HTMLAnchorElement | undefined => entries().find((each) => each.dataset.item === id);
  const current = (): HTMLAnchorElement | undefined => list.querySelector<HTMLAnchorElement>("a.entry[aria-current]") ?? undefined;
  const isOpen = (each: HTMLAnchorElement): boolean => !each.dataset.state || each.dataset.state === "failed";
  const open = (): HTMLAnchorElement[] => entries().filter(isOpen);

  function mark(id: string, state: State | null, words = state ? WORDS[state] : ""): void {
    const found = entry(id);
    if (!found) return;
    if (state) found.dataset.state = state;
    else delete found.dataset.state;
    must<HTMLElement>(".entry-state", found).textContent = words;
    tell();
  }

  /** What is left, what is done, and whether there is something to undo. */
  function tell(): void {
    must("#waiting").textContent = String(Math.max(0, Number(root.dataset.total) - decided.length));
    const tally = must<HTMLElement>("#tally");
    tally.hidden = undoButton.hidden = decided.length === 0;
    tally.textContent = [`${decided.length} decided`, middle()].filter(Boolean).join(" · ");
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
    if (WIDE.matches) target.scrollIntoView({ block: "nearest" });
    try {
      const content = await page(id);
      if (current() !== target) return; // somebody was faster than the network
      detail.replaceChildren(content.cloneNode(true));
      window.history.replaceState(null, "", target.href);
      if (!WIDE.matches) window.scrollTo({ top: 0 });
      settle(id);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "bad");
    }
    const ahead = open();
    const position = ahead.indexOf(target);
    prepare(ahead.slice(position + 1, position + 1 + AHEAD));
    if (ahead.length - position <= AHEAD + 1) void more();
  }

  /** Fetch what comes next, and what the model saw in the very next. */
  function prepare(next: HTMLAnchorElement[]): void {
    const fetched = next.map((each) => page(each.dataset.item ?? ""));
    for (const each of fetched) each.catch(() => undefined);
    void fetched[0]?.then(explainAhead, () => undefined);
  }

  /** What follows once an item stays on the screen: say that we are at it, show what the model saw. */
  function settle(id: string): void {
    detail.querySelector("form.decision")?.addEventListener("submit", submitted);
    restoreDraft(detail, id);
    claims.look(id);
    pace.look(id);
    void explain(detail);
  }

  function submitted(event: Event): void {
    event.preventDefault();
    const button = (event as SubmitEvent).submitter as HTMLButtonElement | null;
    if (button?.value === "skip") skip();
    else if (button?.value === "scam" || button?.value === "harmless") decide(button.value);
  }

  function neighbour(step: 1 | -1): HTMLAnchorElement | undefined {
    const all = entries();
    const from = current() ? all.indexOf(current()!) : -1;
    for (let at = from + step; at >= 0 && at < all.length; at += step) if (isOpen(all[at]!)) return all[at];
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
    if (!target || !form || !isOpen(target)) return;
    if (needsReason(form)) return toast("Choose a reason first: this team asks for one.", "bad");
    const id = target.dataset.item ?? "";
    const body = new FormData(form);
    body.set("action", action);
    claims.spend(id);
    pace.decided(id);
    transmit({ id, who, action, url: form.getAttribute("action") ?? "", fields: fieldsOf(body) });
    void loaded().then(() => show(following()));
  }

  function transmit(decision: Kept): void {
    const { id, action, url } = decision;
    decided.push(id);
    mark(id, action);
    keep(decision);
    const sent = send<Decision>(url, csrf, formOf(decision))
      .then((answer) => {
        letGo(id);
        forgetDraft(id);
        // An answer that was overtaken says nothing: its Undo would take back a later decision.
        if (decided.at(-1) === id) toast(answer.message ?? "", "plain", answer.undoable ? ["Undo (U)", undo] : undefined);
      })
      .catch((error: Error) => refused(id, action, error, () => transmit(decision)))
      .finally(() => sending.delete(id));
    sending.set(id, sent);
  }

  /** Nothing is lost: what was chosen stays with the item, and the item comes back unless it is decided. */
  function refused(id: string, action: Action, error: Error, again: () => void): void {
    const outcome = outcomeOf(error, action, who);
    if (outcome.state !== "failed") letGo(id);
    if (outcome.state !== action) decided.splice(decided.lastIndexOf(id), 1);
    mark(id, outcome.state, outcome.words);
    if (outcome.signedOut) must<HTMLElement>("#signed-out").hidden = false;
    if (outcome.message) toast(outcome.message, "bad", outcome.again ? ["Try again", again] : undefined);
    if (current() === undefined && open().length > 0) void show(following());
  }

  function skip(): void {
    const target = current();
    if (!target) return;
    if (open().length > 1) mark(target.dataset.item ?? "", "skipped");
    void loaded().then(() => show(following()));
  }

  function undo(): void {
    const id = decided.pop();
    if (id === undefined) return toast("There is nothing to undo here.");
    pages.delete(id);
    const before = sending.get(id) ?? Promise.resolve();
    void before
      .then(() => send<Decision>(`/review/items/${encodeURIComponent(id)}/undo`, csrf))
      .then((answer) => {
        mark(id, null);
        toast(answer.message ?? "");
        return show(entry(id));
      })
      .catch((error: Error) => {
        decided.push(id);
        tell();
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
    loadingMore ??= fragment(`/review/entries?${root.dataset.query ?? ""}&cursor=${encodeURIComponent(cursor)}`)
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

  list.addEventListener("click", (event) => {
    const target = (event.target as Element).closest<HTMLAnchorElement>("a.entry");
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    // Drawn anew, the item that is being read would close what its reader has opened in it.
    if (target === current() && detail.querySelector(`article[data-item="${CSS.escape(target.dataset.item ?? "")}"]`)) return;
    void show(target);
  });
  undoButton.addEventListener("click", undo);
  document.querySelector(".more")?.remove(); // pages load by themselves
  offerKept(who, transmit);
  keepDrafts(detail, () => current()?.dataset.item);
  // What is searched for, or decided, has no count that tells of newcomers.
  if (root.dataset.live) watchArrivals(root, {
    known: () => ({ open: open().length + entries().filter((each) => each.dataset.state === "skipped").length, more: !!root.dataset.next, busy: sending.size > 0 }),
    count: (total) => {
      root.dataset.total = String(total + decided.length);
      tell();
    },
  });
  bindKeys({
    s: () => decide("scam"),
    h: () => decide("harmless"),
    l: skip,
    u: undo,
    j: () => void show(neighbour(1) ?? current()),
    k: () => void show(neighbour(-1) ?? current()),
    o: () => toggleDetails(detail),
    c: () => toggleScope(detail),
    n: () => detail.querySelector<HTMLInputElement>("#notes")?.focus(),
    t: () => detail.querySelector<HTMLSelectElement>("#tactic")?.focus(),
    g: startGuide(detail),
    "/": () => document.querySelector<HTMLInputElement>("#q")?.focus(),
    "?": keysDialog(),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((place) => [String(place), () => chooseReason(detail, place)])),
  });
  const first = current();
  if (first) {
    settle(first.dataset.item ?? "");
    prepare(open().slice(1, 1 + AHEAD));
  }
}
