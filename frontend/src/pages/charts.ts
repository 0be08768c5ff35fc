// A chart beside its table: `<table data-chart="line">` has a head row of series names and a row for each point, its first cell
// the point's name. The table stays for whoever reads rather than looks. Chart.js is loaded where a page has a chart.
//
// `th[data-colour]` is a column's own colour. `th[data-uncharted]` keeps a column out of the chart (another unit, say), `data-chart-rows="30"` all rows but the first 30.

import type { Chart, ChartConfiguration } from "chart.js";

type Kind = "line" | "bar" | "stacked";

export interface ChartData {
  readonly labels: string[];
  readonly series: { readonly label: string; readonly data: (number | null)[]; readonly colour: string | undefined }[];
}

/** The numbers of a table; a cell without a number is a gap. `data-value` says a cell's number where its text is longer. */
export function readTable(table: HTMLTableElement): ChartData {
  const head = cellsOf(table.querySelector("thead tr"));
  const charted = head.map((cell, column) => column > 0 && cell.dataset.uncharted === undefined);
  const points = [...table.querySelectorAll("tbody tr")].map(cellsOf);
  const shown = points.slice(0, Number(table.dataset.chartRows ?? points.length));
  const series = head.map((cell, column) => ({
    label: textOf(cell),
    colour: cell.dataset.colour,
    data: shown.map((cells) => numberOf(cells[column])),
  }));
  return { labels: shown.map((cells) => textOf(cells[0])), series: series.filter((_, column) => charted[column]) };
}

function cellsOf(row: Element | null): HTMLElement[] {
  return [...(row?.children ?? [])] as HTMLElement[];
}

function textOf(cell: HTMLElement | undefined): string {
  return cell?.textContent?.trim() ?? "";
}

function numberOf(cell: HTMLElement | undefined): number | null {
  const number = Number.parseFloat(cell?.dataset.value ?? textOf(cell));
  return Number.isNaN(number) ? null : number;
}

/** Draws every chart of the page, each above its table, and again where the page changes its colours or a table its rows. */
export async function drawCharts(page: Document): Promise<void> {
  const tables = [...page.querySelectorAll<HTMLTableElement>("table[data-chart]")];
  if (!tables.length) return;
  const { Chart, registerables } = await import("chart.js");
  Chart.register(...registerables);
  Chart.defaults.animation = false;
  const places = tables.map((table) => ({ table, canvas: canvasAbove(page, table) }));
  let charts: Chart[] = [];
  const draw = () => {
    for (const chart of charts) chart.destroy();
    Chart.defaults.color = colourOf(page, "--quiet");
    Chart.defaults.borderColor = colourOf(page, "--line");
    const colours = COLOURS.map((name) => colourOf(page, name));
    charts = places.map(({ table, canvas }) => new Chart(canvas, configuration(table, colours)));
  };
  draw();
  onNewColours(page, draw);
  const rows = new MutationObserver(draw);
  for (const { tBodies } of tables) for (const body of tBodies) rows.observe(body, { childList: true });
}

/** The canvas that a table's chart is drawn on. */
function canvasAbove(page: Document, table: HTMLTableElement): HTMLCanvasElement {
  const frame = page.createElement("div");
  frame.className = "chart";
  frame.setAttribute("aria-hidden", "true"); // the table says it all
  (table.closest("details") ?? table.closest(".scroll") ?? table).before(frame);
  return frame.appendChild(page.createElement("canvas"));
}

/** What Chart.js draws of a table: its series one after the other in these colours. */
export function configuration(table: HTMLTableElement, colours: readonly string[]): ChartConfiguration {
  const { labels, series } = readTable(table);
  const kind = table.dataset.chart as Kind;
  const stacked = kind === "stacked";
  const isWhole = series.every(({ data }) => data.every((number) => Number.isInteger(number ?? 0)));
  const datasets = series.map(({ label, data, colour: own }, index) => {
    const colour = own ?? colours[index % colours.length];
    return { label, data, borderColor: colour, backgroundColor: colour, spanGaps: false };
  });
  return {
    type: kind === "line" ? "line" : "bar",
    data: { labels, datasets },
    options: {
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked, grid: { display: false } },
        y: { stacked, beginAtZero: true, ticks: { precision: isWhole ? 0 : undefined } },
      },
      plugins: { legend: { display: series.length > 1, labels: { boxWidth: 12, boxHeight: 12 } } },
    },
  };
}

/** Dark, light, or the system's choice has changed. */
function onNewColours(page: Document, draw: () => void): void {
  new MutationObserver(draw).observe(page.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

/** What a colour of the palette comes to in the page's scheme; a canvas understands no `light-dark()`. */
function colourOf(page: Document, name: string): string {
  const probe = page.body.appendChild(page.createElement("span"));
  probe.style.color = `var(${name})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const COLOURS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"];
