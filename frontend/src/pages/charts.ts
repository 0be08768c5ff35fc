// A chart beside its table: `<table data-chart="line">` has a head row of series names and a row for each point, its first cell
// the point's name. The table stays for whoever reads rather than looks. Chart.js is loaded where a page has a chart.
//
// A cell's `data-low` and `data-high` are the ends of its interval: a line has a band between them. `data-chart-zero` marks 0.
// `th[data-colour]` is a column's own colour. `th[data-uncharted]` keeps a column out of the chart (another unit, say), `data-chart-rows="30"` all rows but the first 30.

import type { Chart, ChartConfiguration } from "chart.js";

type Kind = "line" | "bar" | "stacked";

type Numbers = (number | null)[];

export interface Series {
  readonly label: string;
  readonly data: Numbers;
  readonly colour: string | undefined;
  /** The ends of the intervals, where any cell has one. */
  readonly band?: { readonly low: Numbers; readonly high: Numbers };
}

export interface ChartData {
  readonly labels: string[];
  readonly series: Series[];
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
    ...bandOf(shown.map((cells) => cells[column])),
  }));
  return { labels: shown.map((cells) => textOf(cells[0])), series: series.filter((_, column) => charted[column]) };
}

function bandOf(cells: readonly (HTMLElement | undefined)[]): Pick<Series, "band"> {
  const end = (name: "low" | "high") => cells.map((cell) => parsed(cell?.dataset[name]));
  const band = { low: end("low"), high: end("high") };
  return band.low.some((number) => number !== null) ? { band } : {};
}

function cellsOf(row: Element | null): HTMLElement[] {
  return [...(row?.children ?? [])] as HTMLElement[];
}

function textOf(cell: HTMLElement | undefined): string {
  return cell?.textContent?.trim() ?? "";
}

function numberOf(cell: HTMLElement | undefined): number | null {
  return parsed(cell?.dataset.value ?? textOf(cell));
}

function parsed(text: string | undefined): number | null {
  const number = Number.parseFloat(text ?? "");
  return Number.isNaN(number) ? null : number;
}

/** Draws every chart of the page, each above its table, and again where the page changes its colours or a table its rows. */
export async function drawCharts(page: Document): Promise<void> {
  const tables = [...page.querySelectorAll<HTMLTableElement>("table[data-chart]")];
  if (!tables.length) return;
  const { Chart, registerables } = await import("chart.js");
  Chart.register(...registerables);
  Chart.defaults.animation = false;
  Chart.defaults.locale = page.documentElement.lang;
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
  const bands = series.flatMap(({ band }, index) => (band ? edgesOf(band, datasets[index]?.borderColor) : []));
  return {
    type: kind === "line" ? "line" : "bar",
    data: { labels, datasets: [...datasets, ...bands] },
    options: {
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked, grid: { display: false } },
        y: { stacked, beginAtZero: true, ...zeroOf(table), ticks: { precision: isWhole ? 0 : undefined } },
      },
      plugins: {
        legend: { display: series.length > 1, labels: { boxWidth: 12, boxHeight: 12, filter: isNamed } },
        tooltip: { filter: ({ dataset }) => isNamed({ text: dataset.label ?? "" }) },
      },
    },
  };
}

/** The two edges of a band, with its colour between them; they have no name, so neither legend nor tooltip speaks of them. */
function edgesOf(band: { low: Numbers; high: Numbers }, colour: string | undefined) {
  const edge = { label: "", borderWidth: 0, pointRadius: 0, pointHitRadius: 0, spanGaps: false };
  const filled = { ...edge, fill: "-1", backgroundColor: fainter(colour ?? "") };
  return [
    { ...edge, data: band.low, borderColor: colour, backgroundColor: colour },
    { ...filled, data: band.high, borderColor: colour },
  ];
}

/** A colour of a `getComputedStyle`, or `#rrggbb`, with a fifth of its strength. */
export function fainter(colour: string): string {
  if (colour.startsWith("#")) return `${colour}33`;
  return colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.2)");
}

function isNamed({ text }: { text: string }): boolean {
  return text !== "";
}

/** The line at 0 of a chart whose numbers lie on both sides of it. */
function zeroOf(table: HTMLTableElement): object {
  if (table.dataset.chartZero === undefined) return {};
  const width = ({ tick }: { tick: { value: number } }) => (tick.value === 0 ? 2 : 1);
  return { grid: { lineWidth: width } };
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
