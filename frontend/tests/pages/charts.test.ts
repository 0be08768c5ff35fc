// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { configuration, readTable } from "../../src/pages/charts";

function table(attributes: string, head: string, ...rows: string[]): HTMLTableElement {
  document.body.innerHTML = `<table ${attributes}><thead><tr>${head}</tr></thead><tbody>${rows.map((row) => `<tr>${row}</tr>`).join("")}</tbody></table>`;
  return document.querySelector("table") as HTMLTableElement;
}

const HEAD = "<th>day</th><th> accepted </th><th data-uncharted>pairs</th><th>Dice</th>";
const cells = (...texts: string[]) => texts.map((text) => `<td>${text}</td>`).join("");

describe("a table as a chart", () => {
  it("has a series for every column but the first and those that are left out", () => {
    const read = readTable(table("", HEAD, cells("1 May", "3", "9", "0.8"), cells("2 May", "4", "9", "–")));
    expect(read.labels).toEqual(["1 May", "2 May"]);
    expect(read.series).toEqual([
      { label: "accepted", data: [3, 4] },
      { label: "Dice", data: [0.8, null] },
    ]);
  });

  it("takes the number beside a longer text", () => {
    const read = readTable(table("", "<th>a</th><th>b</th>", '<td>x</td><td data-value="60">one minute</td>'));
    expect(read.series[0]?.data).toEqual([60]);
  });

  it("ends where the table says so", () => {
    const rows = Array.from({ length: 50 }, (_, i) => cells(`p${i}`, "1"));
    expect(readTable(table('data-chart-rows="30"', "<th>a</th><th>b</th>", ...rows)).labels).toHaveLength(30);
  });

  it("is stacked, of bars, or a line, in the colours that there are, again from the first", () => {
    const rows = [cells("x", "1", "2", "3")];
    const made = (kind: string) =>
      configuration(table(`data-chart="${kind}"`, "<th>a</th><th>b</th><th>c</th><th>d</th>", ...rows), [
        "red",
        "blue",
      ]);
    expect(["line", "bar", "stacked"].map((kind) => made(kind).type)).toEqual(["line", "bar", "bar"]);
    expect(made("stacked").options?.scales?.y).toMatchObject({ stacked: true });
    expect(made("bar").options?.scales?.y).toMatchObject({ stacked: false });
    expect(made("bar").data.datasets.map((one) => one.backgroundColor)).toEqual(["red", "blue", "red"]);
  });

  it("draws a column that has a colour of its own in it", () => {
    const head = '<th>a</th><th data-colour="#e5484d">aorta</th><th>liver</th>';
    const { datasets } = configuration(table("", head, cells("x", "1", "2")), ["red", "blue"]).data;
    expect(datasets.map((one) => one.borderColor)).toEqual(["#e5484d", "blue"]);
  });

  it("has a band between the ends of a column's intervals, which neither legend nor tooltip names", () => {
    const cell = (n: number) => `<td data-value="${n}" data-low="${n - 0.1}" data-high="${n + 0.1}">${n} [..]</td>`;
    const made = configuration(
      table(
        'data-chart="line"',
        "<th>k</th><th>liver</th><th>aorta</th>",
        `<td>1</td>${cell(0.5)}<td>0.7</td>`,
        `<td>2</td>${cell(0.6)}<td>0.8</td>`,
      ),
      ["rgb(1, 2, 3)", "blue"],
    );
    expect(made.data.datasets.map(({ label, data }) => [label, data])).toEqual([
      ["liver", [0.5, 0.6]],
      ["aorta", [0.7, 0.8]],
      ["", [0.4, 0.5]],
      ["", [0.6, 0.7]],
    ]);
    expect(made.data.datasets[3]).toMatchObject({ fill: "-1", backgroundColor: "rgba(1, 2, 3, 0.2)", pointRadius: 0 });
    const isShown = made.options?.plugins?.legend?.labels?.filter as (item: { text: string }) => boolean;
    expect([isShown({ text: "liver" }), isShown({ text: "" })]).toEqual([true, false]);
  });

  it("has no band without intervals", () => {
    expect(configuration(table("", "<th>a</th><th>b</th>", cells("x", "1")), ["red"]).data.datasets).toHaveLength(1);
  });

  it("marks 0 where the numbers lie on both sides of it", () => {
    const y = (attributes: string) =>
      configuration(table(attributes, "<th>a</th><th>b</th>", cells("x", "-1")), ["red"]).options?.scales?.y;
    const width = y("data-chart-zero")?.grid?.lineWidth as (at: { tick: { value: number } }) => number;
    expect([width({ tick: { value: 0 } }), width({ tick: { value: 0.1 } })]).toEqual([2, 1]);
    expect(y("")?.grid).toBeUndefined();
  });

  it("counts in whole numbers where there are no others", () => {
    const precision = (number: string) =>
      configuration(table("", "<th>a</th><th>b</th>", cells("x", number)), ["red"]).options?.scales?.y?.ticks;
    expect(precision("3")).toMatchObject({ precision: 0 });
    expect(precision("0.8")).toMatchObject({ precision: undefined });
  });

  it("of one series needs no legend", () => {
    expect(configuration(table("", "<th>a</th><th>b</th>"), ["red"]).options?.plugins?.legend?.display).toBe(false);
  });
});
