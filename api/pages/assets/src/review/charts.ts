// Charts drawn from the tables of the page, so the numbers are there for everybody, drawn or not.
import uPlot from "uplot";

export function drawCharts(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-chart]")) {
    const table = document.querySelector<HTMLTableElement>(`#${place.dataset.chart}`);
    if (!table) continue;
    let chart = draw(place, table);
    new ResizeObserver(() => chart?.setSize({ width: place.clientWidth, height: height(place) })).observe(place);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      chart?.destroy();
      chart = draw(place, table);
    });
  }
}

function height(place: HTMLElement): number {
  return place.clientWidth < 480 ? 160 : 220;
}

function draw(place: HTMLElement, table: HTMLTableElement): uPlot | undefined {
  const rows = [...table.tBodies[0]!.rows];
  if (rows.length < 2) return undefined;
  const names = [...table.tHead!.rows[0]!.cells].slice(1).map((cell) => cell.textContent!.trim());
  const labels = rows.map((row) => row.cells[0]!.textContent!.trim());
  const days = rows.map((row) => row.cells[0]!.querySelector("time")?.dateTime);
  const isTime = days.every((day) => day !== undefined);
  const x = isTime ? days.map((day) => Date.parse(`${day}T00:00Z`) / 1000) : labels.map((_, index) => index);
  const ys = names.map((_, column) => rows.map((row) => number(row.cells[column + 1]?.textContent)));
  const colour = (token: string): string => resolved(place, token);
  const strokes = [colour("--accent"), colour("--second"), colour("--good")];
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const bars = isTime ? uPlot.paths.bars!({ size: [0.7, 40] }) : undefined;
  return new uPlot(
    {
      width: place.clientWidth,
      height: height(place),
      legend: { show: names.length > 1, live: false },
      cursor: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { time: isTime }, y: { range: (_, low, high) => (isTime ? [0, Math.max(4, high * 1.1)] : [Math.max(0, low - 2), Math.min(100, high + 2)]) } },
      axes: [
        isTime ? { ...axis, space: 64, values: (_, splits) => splits.map((at) => new Date(at * 1000).toISOString().slice(5, 10)) } : { ...axis, splits: () => x, values: (_, splits) => splits.map((at) => labels[at] ?? "") },
        { ...axis, size: 52, values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? String(value) : "")) },
      ],
      series: [
        {},
        ...names.map((label, index) => ({
          label,
          stroke: strokes[index % strokes.length]!,
          width: bars ? 0 : 2,
          points: { show: !isTime, size: 8 },
          ...(bars ? { paths: bars, fill: strokes[index % strokes.length]! } : {}),
        })),
      ],
    },
    [x, ...ys] as uPlot.AlignedData,
    place,
  );
}

function number(text: string | null | undefined): number | null {
  const found = Number((text ?? "").replace(/[\s\u202f]/g, ""));
  return text?.trim() && Number.isFinite(found) ? found : null;
}

/** A canvas knows no CSS variables, so the browser resolves them on a real element. */
function resolved(place: HTMLElement, token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  place.append(probe);
  const colour = window.getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
