// The dashboard's script. Every page works without it; it makes them quick.
import { drawCharts } from "./charts";
import { startQueue } from "./queue";
import { startRollouts } from "./rollouts";

document.documentElement.classList.add("scripted");
const queue = document.querySelector<HTMLElement>("#queue");
if (queue) startQueue(queue);
const rollouts = document.querySelector<HTMLElement>("#rollouts");
if (rollouts) startRollouts(rollouts);
drawCharts();
// On a phone the navigation is wider than the screen.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
