// One style for the three elements. Every colour is a custom property that the page may set; each default pair of text
// and ground has a contrast of 4.5 or more in both schemes. Controls are 44 px high at least. Sides are logical, so that
// right-to-left languages mirror by themselves.
export const STYLE = `
:host { --ink: var(--shield-ink, light-dark(#141a24, #e8ecf3)); --muted: var(--shield-muted, light-dark(#4f5c70, #a8b3c5));
  --surface: var(--shield-surface, light-dark(#ffffff, #181e28)); --raised: var(--shield-raised, light-dark(#eef1f7, #222a37));
  --line: var(--shield-line, light-dark(#d5dce7, #333e4f)); --edge: var(--shield-edge, light-dark(#7b879a, #77849a));
  --accent: var(--shield-accent, light-dark(#1d4ed8, #8fb0ff)); --on-accent: var(--shield-on-accent, light-dark(#ffffff, #0b1220));
  --bad: var(--shield-scam, light-dark(#b42318, #ff9f95)); --good: var(--shield-harmless, light-dark(#0f6b46, #76dfa9));
  --warn: var(--shield-unsure, light-dark(#865600, #f2c063)); --radius: var(--shield-radius, 16px);
  display: block; color: var(--ink); font: var(--shield-font, inherit); line-height: 1.5; }
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
h2, p, ul, ol, fieldset, blockquote { margin: 0; padding: 0; }
ul, ol { list-style: none; }
fieldset { border: 0; min-width: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
.icon { width: 1.25em; height: 1.25em; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.fine { color: var(--muted); font-size: .8125rem; }
.fine:empty { display: none; }
.name { font-size: .875rem; font-weight: 600; color: var(--muted); }

.result { --tone: var(--muted); --soft: var(--raised); overflow: hidden; overflow-wrap: anywhere; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius);
  box-shadow: 0 1px 2px rgb(16 24 40 / 8%), 0 4px 16px rgb(16 24 40 / 6%); }
.scam { --tone: var(--bad); --soft: var(--shield-scam-soft, light-dark(#fdeae8, #43201d)); }
.harmless { --tone: var(--good); --soft: var(--shield-harmless-soft, light-dark(#e2f5ea, #15382a)); }
.unsure, .problem { --tone: var(--warn); --soft: var(--shield-unsure-soft, light-dark(#fff2d9, #40301a)); }
header { display: grid; justify-items: center; gap: 8px; padding: 28px 20px; text-align: center; background: var(--soft); }
header slot::slotted(*) { justify-self: start; margin-block-start: -20px; margin-inline-start: -14px; color: var(--tone); }
.emblem { display: grid; place-items: center; width: 72px; height: 72px; margin-block-end: 4px; border-radius: 50%; color: var(--surface); background: var(--tone); }
.emblem .icon { width: 40px; height: 40px; }
.heading { font-size: 1.875rem; font-weight: 700; line-height: 1.15; color: var(--tone); }
.heading:focus { outline: none; }
.certainty { max-width: 34ch; }
.result > section, .opinion { display: grid; gap: 10px; padding: 20px; border-block-start: 1px solid var(--line); }
.result > header + section { border-block-start: 0; }
.advice p { font-size: 1.125rem; font-weight: 600; line-height: 1.4; }
.advice .tell { font-size: 1rem; font-weight: 400; color: var(--muted); }

.happened { border: 1px solid var(--edge); border-radius: 14px; }
summary { display: flex; align-items: center; gap: 10px; min-height: 52px; padding: 8px 16px; font-weight: 600; cursor: pointer; list-style: none; border-radius: 14px; }
summary::-webkit-details-marker { display: none; }
summary .icon { color: var(--tone); width: 1.5em; height: 1.5em; }
.happened[open] { padding-block-end: 16px; }
.happened fieldset, .steps { padding-inline: 16px; }
legend { padding: 0 0 8px; color: var(--muted); }
.steps { display: grid; gap: 10px; }
.steps:not(:empty) { margin-block-start: 20px; }
ol { display: grid; gap: 14px; counter-reset: step; }
ol li { display: grid; grid-template-columns: 28px 1fr; gap: 12px; counter-increment: step; }
ol li::before { content: counter(step); display: grid; place-items: center; width: 28px; height: 28px; border-radius: 50%; font-size: .875rem; font-weight: 700; color: var(--surface); background: var(--tone); }

.why ul { display: grid; gap: 12px; }
.why li { display: grid; grid-template-columns: auto 1fr; gap: 12px; }
.why .icon { width: 1.375rem; height: 1.375rem; margin-block-start: .1em; color: var(--tone); }
blockquote { max-height: 11.5em; overflow-y: auto; padding: 12px; border-radius: 14px; white-space: pre-wrap; background: var(--raised); }
.message slot::slotted(*) { justify-self: start; }

.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); gap: 8px; }
.pair button { min-height: 52px; }
.line { font-weight: 600; }
.said { display: grid; gap: 4px; }
.sending, .waiting, .signed-out, .sent, .failed, .approved, .rejected { background: var(--raised); }
.failed .line, .unkept .line { color: var(--bad); }

button { display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-height: 44px; padding: 8px 16px; font: inherit; font-weight: 600; line-height: 1.2;
  color: inherit; cursor: pointer; border-radius: 14px; background: var(--surface); border: 1px solid var(--edge); }
button:hover { background: var(--raised); }
button.primary { color: var(--on-accent); background: var(--accent); border-color: transparent; }
button.primary:hover { filter: brightness(1.08); }
button.quiet { justify-self: start; margin-inline-start: -16px; color: var(--accent); border-color: transparent; background: transparent; }
dialog { width: min(480px, calc(100vw - 32px)); max-height: calc(100dvh - 32px); overflow-y: auto; padding: 20px; color: inherit;
  background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: 0 16px 48px rgb(0 0 0 / 30%); }
dialog::backdrop { background: rgb(8 12 20 / 55%); }
h2 { font-size: 1.0625rem; line-height: 1.3; }
form { display: grid; gap: 12px; }
form > label { font-weight: 600; }
.choices { display: grid; gap: 8px; }
.choices label { position: relative; display: block; font-weight: 500; }
.choices input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.choices label > span { display: flex; align-items: center; gap: 12px; min-height: 48px; padding: 8px 16px; border: 1px solid var(--edge); border-radius: 12px; }
.choices input:checked + span { border-color: var(--accent); background: var(--shield-accent-soft, light-dark(#e4ecff, #1c2b52)); box-shadow: inset 0 0 0 1px var(--accent); }
.choices input:focus-visible + span { outline: 3px solid var(--accent); outline-offset: 2px; }
textarea { width: 100%; padding: 10px 12px; font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--edge); border-radius: 10px; resize: vertical; }
textarea::placeholder { color: var(--muted); opacity: 1; }
.actions { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; }
@media (forced-colors: active) { .choices input:checked + span { outline: 3px solid Highlight; } .emblem { border: 2px solid CanvasText; } }
@media print { button { display: none; } }
`;
