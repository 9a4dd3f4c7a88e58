// One style for the three elements. Every colour is a custom property that the page may set; each default pair of text
// and ground has a contrast of 4.5 or more in both schemes. Controls are 44 px high at least.
export const STYLE = `
:host { display: block; color: var(--shield-ink, light-dark(#141a24, #e8ecf3)); font: var(--shield-font, inherit); line-height: 1.5; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
h2, h3, p, ul, fieldset, blockquote { margin: 0; padding: 0; }
fieldset { border: 0; min-width: 0; }
.card { display: grid; gap: 12px; padding: 16px; background: var(--shield-surface, light-dark(#ffffff, #181e28));
  border: 1px solid var(--shield-line, light-dark(#7b879a, #77849a)); border-block-start: 6px solid var(--tone);
  border-radius: var(--shield-radius, 12px); overflow-wrap: anywhere; }
.scam { --tone: var(--shield-scam, light-dark(#b42318, #ff9f95)); }
.harmless { --tone: var(--shield-harmless, light-dark(#0f6b46, #76dfa9)); }
.unsure, .problem { --tone: var(--shield-unsure, light-dark(#865600, #f2c063)); }
.busy { --tone: var(--shield-muted, light-dark(#4f5c70, #a8b3c5)); }
.heading { font-size: 1.375em; font-weight: 700; line-height: 1.25; color: var(--tone); }
.heading:focus { outline: none; }
.quiet { color: var(--shield-muted, light-dark(#4f5c70, #a8b3c5)); }
.fine { font-size: .8125em; }
.advice { display: grid; gap: 8px; padding: 12px; border-radius: 10px; background: var(--shield-raised, light-dark(#eef1f7, #222a37)); }
.advice p:first-child { font-weight: 600; }
.why { display: grid; gap: 8px; }
.why .name { font-weight: 700; }
.why ul { display: grid; gap: 8px; padding-inline-start: 1.25em; }
blockquote { max-height: 11.5em; overflow-y: auto; padding: 12px; border-radius: 10px; white-space: pre-wrap;
  background: var(--shield-raised, light-dark(#eef1f7, #222a37)); }
.feedback { display: grid; gap: 8px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.line { font-weight: 600; }
.line.waiting, .line.signed-out { color: var(--shield-unsure, light-dark(#865600, #f2c063)); }
.line.sent, .line.approved { color: var(--shield-harmless, light-dark(#0f6b46, #76dfa9)); }
.line.failed, .line.unkept { color: var(--shield-scam, light-dark(#b42318, #ff9f95)); }
button { min-height: 44px; padding: 8px 16px; font: inherit; font-weight: 600; color: inherit; cursor: pointer; border-radius: 10px;
  background: var(--shield-surface, light-dark(#ffffff, #181e28)); border: 1px solid var(--shield-line, light-dark(#7b879a, #77849a)); }
button.primary { color: var(--shield-on-accent, light-dark(#ffffff, #0b1220)); background: var(--shield-accent, light-dark(#1d4ed8, #8fb0ff)); border-color: transparent; }
:focus-visible { outline: 3px solid var(--shield-accent, light-dark(#1d4ed8, #8fb0ff)); outline-offset: 2px; border-radius: 6px; }
dialog { width: min(32em, calc(100vw - 32px)); max-height: calc(100dvh - 32px); overflow-y: auto; padding: 24px; color: inherit;
  background: var(--shield-surface, light-dark(#ffffff, #181e28)); border: 1px solid var(--shield-line, light-dark(#7b879a, #77849a)); border-radius: var(--shield-radius, 12px); }
dialog::backdrop { background: rgb(0 0 0 / 50%); }
form { display: grid; gap: 12px; }
.choices { display: grid; gap: 8px; }
.choices label { display: flex; align-items: center; gap: 12px; min-height: 52px; padding: 8px 16px; cursor: pointer; border-radius: 10px;
  border: 1px solid var(--shield-line, light-dark(#7b879a, #77849a)); }
.choices input { width: 20px; height: 20px; accent-color: var(--shield-accent, light-dark(#1d4ed8, #8fb0ff)); }
textarea { width: 100%; padding: 8px 12px; font: inherit; color: inherit; background: var(--shield-surface, light-dark(#ffffff, #181e28));
  border: 1px solid var(--shield-line, light-dark(#7b879a, #77849a)); border-radius: 10px; }
textarea::placeholder { color: var(--shield-muted, light-dark(#4f5c70, #a8b3c5)); opacity: 1; }
.actions { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; }
@media (forced-colors: active) { .card { border-block-start-color: CanvasText; } }
`;
