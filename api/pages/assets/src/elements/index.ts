// Importing it defines the three elements.
import { ShieldFeedbackButton } from "./button";
import { ShieldResultCard } from "./card";
import { ShieldFeedbackDialog } from "./dialog";

export { ShieldFeedbackButton, type ButtonState } from "./button";
export { ShieldResultCard, type CardState } from "./card";
export { ShieldFeedbackDialog, type Answer } from "./dialog";
export type { FeedbackBox, Feedbacked, ShownScan } from "./given";

// The dialog first: the button makes one, and the card makes a button.
const ELEMENTS = [
  ["shield-feedback-dialog", ShieldFeedbackDialog],
  ["shield-feedback-button", ShieldFeedbackButton],
  ["shield-result-card", ShieldResultCard],
] as const;
for (const [name, element] of ELEMENTS) if (!customElements.get(name)) customElements.define(name, element);

declare global {
  interface HTMLElementTagNameMap {
    "shield-feedback-dialog": ShieldFeedbackDialog;
    "shield-feedback-button": ShieldFeedbackButton;
    "shield-result-card": ShieldResultCard;
  }
}
