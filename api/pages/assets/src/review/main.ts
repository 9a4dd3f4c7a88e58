// The dashboard's script. Every page works without it; it makes them quick.
import { drawCharts } from "./charts";
import { startQueue } from "./queue";
import { askForReasons } from "./reasons";
import { startRollouts } from "./rollouts";
import { nameCells } from "./tables";

document.documentElement.classList.add("scripted");
const queue = document.querySelector<HTMLElement>("#queue");
if (queue) startQueue(queue);
const rollouts = document.querySelector<HTMLElement>("#rollouts");
if (rollouts) startRollouts(rollouts);
const reasons = document.querySelector<HTMLDialogElement>("#reason-dialog");
if (reasons) askForReasons(reasons);
nameCells(document);
drawCharts();
// On a phone the navigation is wider than the screen.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
