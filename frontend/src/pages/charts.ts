// A chart beside its table: `<table data-chart="line">` has a head row of series names and a row for each point, its first cell
// the point's name. The table stays for whoever reads rather than looks. Chart.js is loaded where a page has a chart.

type Kind = "line" | "bar" | "stacked";

export interface ChartData {
  readonly labels: string[];
  readonly series: { readonly label: string; readonly data: (number | null)[] }[];
}

/** The numbers of a table; a cell without a number is a gap. `data-value` says a cell's number where its text is longer. */
export function readTable(table: HTMLTableElement): ChartData {
  const [, ...names] = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent?.trim() ?? "");
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  return {
    labels: rows.map((row) => row.cells[0]?.textContent?.trim() ?? ""),
    series: names.map((label, column) => ({ label, data: rows.map((row) => numberOf(row.cells[column + 1])) })),
  };
}

function numberOf(cell: HTMLTableCellElement | undefined): number | null {
  const text = cell?.dataset.value ?? cell?.textContent?.trim() ?? "";
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? null : number;
}

/** Draws every chart of the page, each above its table. */
export async function drawCharts(page: Document): Promise<void> {
  const tables = [...page.querySelectorAll<HTMLTableElement>("table[data-chart]")];
  if (!tables.length) return;
  const { Chart, registerables } = await import("chart.js");
  Chart.register(...registerables);
  Chart.defaults.color = colourOf(page, "--quiet");
  Chart.defaults.borderColor = colourOf(page, "--line");
  Chart.defaults.animation = false;
  for (const table of tables) {
    const { labels, series } = readTable(table);
    const kind = table.dataset.chart as Kind;
    const frame = page.createElement("div");
    frame.className = "chart";
    frame.setAttribute("aria-hidden", "true"); // the table says it all
    const canvas = frame.appendChild(page.createElement("canvas"));
    (table.closest(".scroll") ?? table).before(frame);
    const colours = COLOURS.map((name) => colourOf(page, name));
    const datasets = series.map((one, index) => {
      const colour = colours[index % colours.length];
      return { ...one, borderColor: colour, backgroundColor: colour, spanGaps: true, tension: 0.2 };
    });
    const stacked = kind === "stacked";
    new Chart(canvas, {
      type: kind === "line" ? "line" : "bar",
      data: { labels, datasets },
      options: {
        maintainAspectRatio: false,
        scales: { x: { stacked }, y: { stacked, beginAtZero: true } },
        plugins: { legend: { display: series.length > 1 } },
      },
    });
  }
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
