// The page of a training that is open: how far it is, told each second it has changed. `[data-training]` holds the run's number,
// `[data-open]` is there while it goes on; `[data-run=…]` are the places to fill, `table[data-rows=…]` the curves' tables, from
// which `charts.ts` draws. At its end the page is loaded anew, for the server says what became of it.

import { listen, type SocketLike, socketAt } from "../live/connection";

export interface Training {
  readonly state: string;
  readonly is_open: boolean;
  readonly stage: string;
  readonly progress: number; // 0 to 1
  readonly step: number;
  readonly eta: string; // 1:05; empty where nobody knows
  readonly losses: readonly (readonly number[])[];
  readonly looks: readonly (readonly number[])[];
  readonly notes: readonly string[];
  readonly preview: string; // address; empty where there is no picture yet
}

type Words = Record<string, string>;

/** Keeps the page true; does nothing on other pages, and where the run is over. */
export function followTraining(page: Document, open = openSocket, reload = () => location.reload()): void {
  const run = page.querySelector<HTMLElement>("[data-training][data-open]");
  if (!run) return;
  const words = wordsOf(page, "stages");
  const states = wordsOf(page, "states");
  listen(
    () => open(run.dataset.training ?? ""),
    (frame) => {
      const training = JSON.parse(frame) as Training;
      if (training.is_open) show(page, run, training, words, states);
      else reload();
    },
  );
}

const openSocket = (id: string): SocketLike => socketAt(`/ws/learning/training/${id}/`);

function wordsOf(page: Document, id: string): Words {
  return JSON.parse(page.getElementById(id)?.textContent || "{}") as Words;
}

function show(page: Document, run: HTMLElement, training: Training, words: Words, states: Words): void {
  const place = (name: string) => run.querySelector<HTMLElement>(`[data-run="${name}"]`);
  const write = (name: string, text: string) => {
    const found = place(name);
    if (found) found.textContent = text;
  };
  write("state", states[training.state] ?? training.state);
  if (training.stage) write("stage", words[training.stage] ?? training.stage);
  write("step", String(training.step));
  write("eta", training.eta || "–");
  const bar = place("progress");
  if (bar instanceof HTMLProgressElement) bar.value = training.progress;
  const notes = place("notes");
  notes?.replaceChildren(...training.notes.map((note) => element(page, "li", note)));
  if (notes) notes.hidden = !training.notes.length;
  showPicture(place("picture"), place("preview"), training.preview);
  fill(page, run, "losses", training.losses);
  fill(page, run, "looks", training.looks);
}

function showPicture(frame: HTMLElement | null, picture: HTMLElement | null, address: string): void {
  if (!frame || !picture || !address) return;
  frame.hidden = false;
  if (picture.getAttribute("src") !== address) picture.setAttribute("src", address);
}

/** The rows of a table, where there are new ones. */
function fill(page: Document, run: HTMLElement, name: string, rows: readonly (readonly number[])[]): void {
  const body = run.querySelector<HTMLTableSectionElement>(`table[data-rows="${name}"] tbody`);
  if (!body || isFilled(body, rows)) return;
  body.replaceChildren(
    ...rows.map((numbers) => {
      const row = page.createElement("tr");
      row.append(...numbers.map((number) => element(page, "td", String(number), "number")));
      return row;
    }),
  );
}

function isFilled(body: HTMLTableSectionElement, rows: readonly (readonly number[])[]): boolean {
  return rows.flat().join() === [...body.querySelectorAll("td")].map((cell) => cell.textContent).join();
}

function element(page: Document, name: string, text: string, className = ""): HTMLElement {
  const made = page.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}
