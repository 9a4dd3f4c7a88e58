// How long a person takes from seeing an item to deciding it, reading included. Only time in which the page is in
// front counts. The figures stay in this browser: they are for the person who works, not for whoever watches.
import { must } from "../lib/dom";

const STORE = "antispam-shield-pace";
const MOST = 500;
/** Nobody reads for so long: somebody went for coffee with the page in front. */
const LONGEST_SECONDS = 600;

interface Measured {
  at: number;
  seconds: number;
}

export class Pace {
  private shown: string | undefined;
  private since = 0;
  private before = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.hold() : this.goOn()));
    const forget = must<HTMLButtonElement>("#pace-forget");
    forget.addEventListener("click", () => {
      window.localStorage.removeItem(STORE);
      this.tell();
    });
    this.tell();
  }

  /** The item is on the screen from now on. */
  look(id: string): void {
    if (this.shown === id) return;
    this.shown = id;
    this.before = 0;
    this.since = document.hidden ? 0 : performance.now();
  }

  decided(id: string): void {
    if (this.shown !== id) return;
    this.hold();
    this.shown = undefined;
    const seconds = this.before / 1000;
    if (seconds > LONGEST_SECONDS) return;
    const kept = [...measured(), { at: Date.now(), seconds: Math.round(seconds * 10) / 10 }].slice(-MOST);
    window.localStorage.setItem(STORE, JSON.stringify(kept));
    this.tell();
  }

  private hold(): void {
    if (this.since) this.before += performance.now() - this.since;
    this.since = 0;
  }

  private goOn(): void {
    if (this.shown && !this.since) this.since = performance.now();
  }

  private tell(): void {
    const kept = measured();
    must<HTMLElement>("#pace-forget").hidden = kept.length === 0;
    must("#pace-told").textContent = summary(kept, Date.now());
  }
}

function measured(): Measured[] {
  try {
    return JSON.parse(window.localStorage.getItem(STORE) ?? "[]") as Measured[];
  } catch {
    return [];
  }
}

function summary(kept: Measured[], now: number): string {
  if (kept.length === 0) return "Nothing is measured yet: it begins with your first decision.";
  const today = kept.filter((each) => new Date(each.at).toDateString() === new Date(now).toDateString());
  const line = (of: Measured[]): string => {
    const sorted = of.map((each) => each.seconds).sort((a, b) => a - b);
    const at = (share: number): string => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
    return `half within ${at(0.5)} s, nine in ten within ${at(0.9)} s`;
  };
  const whole = `Your last ${kept.length === 1 ? "decision" : `${kept.length} decisions`}: ${line(kept)}.`;
  return today.length > 0 && today.length < kept.length ? `Today ${today.length}: ${line(today)}. ${whole}` : whole;
}

/** The middle of the latest decisions, for the line above the queue; empty while there are few. */
export function middle(): string {
  const latest = measured().slice(-20).map((each) => each.seconds).sort((a, b) => a - b);
  return latest.length < 3 ? "" : `${latest[Math.floor(latest.length / 2)]!.toFixed(0)} s each`;
}
