// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followTraining, type Training } from "../../src/pages/training";
import { TextSocket } from "../live/textsocket";

class TrainingSocket extends TextSocket {
  override say(training: Partial<Training>) {
    super.say({ ...QUIET, ...training });
  }
}

const QUIET: Training = {
  state: "running",
  is_open: true,
  stage: "train",
  progress: 0,
  step: 0,
  eta: "",
  losses: [],
  looks: [],
  notes: [],
  preview: "",
};
const PAGE = `<div data-training="7" data-open>
  <script type="application/json" id="stages">{"train": "The network learns."}</script>
  <script type="application/json" id="states">{"running": "running"}</script>
  <span data-run="state">waiting</span><b data-run="stage"></b><progress max="1" data-run="progress"></progress>
  <span data-run="step"></span><span data-run="eta"></span><ul data-run="notes" hidden></ul>
  <table data-rows="losses"><tbody></tbody></table><table data-rows="looks"><tbody></tbody></table>
  <section data-run="picture" hidden><img data-run="preview"></section></div>`;

let sockets: TrainingSocket[];
let reload: ReturnType<typeof vi.fn<() => void>>;
const open = () => {
  sockets.push(new TrainingSocket());
  return sockets.at(-1) as TrainingSocket;
};
const place = (name: string) => document.querySelector(`[data-run="${name}"]`) as HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  reload = vi.fn<() => void>();
  document.body.innerHTML = PAGE;
});

afterEach(() => {
  vi.useRealTimers();
});

describe("an open training", () => {
  it("is shown as it goes on", () => {
    followTraining(document, open, reload);
    sockets[0]?.say({
      progress: 0.25,
      step: 12,
      eta: "1:05",
      losses: [
        [11, 0.5],
        [12, 0.25],
      ],
      looks: [[0, 0.1, 0.2]],
    });
    expect(["state", "stage", "step", "eta"].map((name) => place(name).textContent)).toEqual([
      "running",
      "The network learns.",
      "12",
      "1:05",
    ]);
    expect((place("progress") as HTMLProgressElement).value).toBe(0.25);
    const rows = [...document.querySelectorAll("table[data-rows=losses] tr")].map((row) => row.textContent);
    expect(rows).toEqual(["110.5", "120.25"]);
    expect(document.querySelectorAll("table[data-rows=looks] td")).toHaveLength(3);
    expect([place("notes").hidden, place("picture").hidden]).toEqual([true, true]);
  });

  it("keeps rows that have not changed", () => {
    followTraining(document, open, reload);
    sockets[0]?.say({ losses: [[1, 0.5]] });
    const row = document.querySelector("table[data-rows=losses] tr");
    sockets[0]?.say({ losses: [[1, 0.5]], step: 2 });
    expect(document.querySelector("table[data-rows=losses] tr")).toBe(row);
  });

  it("shows each new picture and every note, as text", () => {
    followTraining(document, open, reload);
    sockets[0]?.say({ preview: "/p.png?of=1-20", notes: ["<b>Out of memory"] });
    expect(place("preview").getAttribute("src")).toBe("/p.png?of=1-20");
    expect([place("picture").hidden, place("notes").hidden, place("notes").textContent]).toEqual([
      false,
      false,
      "<b>Out of memory",
    ]);
  });

  it("is loaded anew at its end", () => {
    followTraining(document, open, reload);
    sockets[0]?.say({ state: "done", is_open: false });
    expect(reload).toHaveBeenCalledOnce();
  });

  it("connects again where the line breaks, but not where it is turned away", () => {
    followTraining(document, open, reload);
    sockets[0]?.fail(1006);
    vi.advanceTimersByTime(3000);
    expect(sockets).toHaveLength(2);
    sockets[1]?.fail(4404);
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(2);
  });
});

it("is left alone once it is over", () => {
  document.querySelector("[data-training]")?.removeAttribute("data-open");
  followTraining(document, open, reload);
  expect(sockets).toHaveLength(0);
});
