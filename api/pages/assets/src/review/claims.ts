// "I am at it": who looks at an item long enough reserves it, sees how long, and gives it back by leaving.
import { Refused, send } from "../lib/send";

const AFTER_MILLISECONDS = 800;
const RENEW_SECONDS = 60;

interface Claim {
  seconds: number;
}

export class Claims {
  private held: string | undefined;
  private until = 0;
  private waiting: number | undefined;
  private lastSign = 0;

  constructor(
    private readonly detail: HTMLElement,
    private readonly csrf: string,
  ) {
    for (const sign of ["keydown", "pointerdown", "pointermove", "scroll"])
      document.addEventListener(sign, () => (this.lastSign = Date.now()), { passive: true });
    window.setInterval(() => this.tick(), 1000);
    window.addEventListener("pagehide", () => this.release());
  }

  /** The item is on the screen now; whichever was there before is free again. */
  look(id: string): void {
    if (this.held !== id) this.release();
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.claim(id), AFTER_MILLISECONDS);
  }

  /** The item is decided, or about to be: there is nothing left to give back. */
  spend(id: string): void {
    window.clearTimeout(this.waiting);
    if (this.held === id) this.held = undefined;
  }

  private async claim(id: string): Promise<void> {
    if (this.article(id)?.querySelector("form.decision") == null) return; // decided already
    try {
      const claim = await send<Claim>(`/review/items/${encodeURIComponent(id)}/claim`, this.csrf);
      if (!this.article(id)) return void this.free(id); // somebody was faster than the network
      this.held = id;
      this.until = Date.now() + 1000 * (claim.seconds ?? 0);
      this.tick();
    } catch (error) {
      // Told where one looks, before one decides; without a network the decision itself will say so.
      if (error instanceof Refused && error.status === 409) this.say(error.message, true);
    }
  }

  private tick(): void {
    const id = this.held;
    if (id === undefined) return;
    const left = Math.round((this.until - Date.now()) / 1000);
    if (left <= 0) {
      this.held = undefined;
      return this.say("Your time with it has run out: others may decide it now.", true);
    }
    // A screen reader is told when the time nearly ends, not every second.
    this.say(`yours for ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`, left < RENEW_SECONDS);
    if (left < RENEW_SECONDS && Date.now() - this.lastSign < 1000 * RENEW_SECONDS) void this.claim(id);
  }

  private release(): void {
    window.clearTimeout(this.waiting);
    if (this.held !== undefined) void this.free(this.held);
    this.held = undefined;
  }

  private free(id: string): void {
    const form = new FormData();
    form.set("csrf", this.csrf);
    form.set("action", "skip");
    // A beacon also leaves when the page is closed.
    navigator.sendBeacon(`/review/items/${encodeURIComponent(id)}/decision`, form);
  }

  private article(id: string): HTMLElement | null {
    return this.detail.querySelector<HTMLElement>(`article[data-item="${CSS.escape(id)}"]`);
  }

  private say(text: string, urgent: boolean): void {
    const place = this.detail.querySelector<HTMLElement>("#claim");
    if (!place) return;
    place.hidden = false;
    place.textContent = text;
    place.classList.toggle("warn", urgent);
  }
}
