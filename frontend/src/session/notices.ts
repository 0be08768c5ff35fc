/** Sentences for the person that need no answer. The same sentence is shown once, however often it is said. */
import { signal } from "@preact/signals-core";
import type { Timers } from "../live/connection";

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: "info" | "warning";
}

const SHOWN_MS = 8000;

export class Notices {
  readonly list = signal<readonly Notice[]>([]);
  private readonly timers: Timers;
  private lastId = 0;

  constructor(timers: Timers) {
    this.timers = timers;
  }

  say(text: string, tone: Notice["tone"] = "warning"): void {
    const notice = { id: ++this.lastId, text, tone };
    this.list.value = [...this.list.value.filter((other) => other.text !== text), notice];
    this.timers.after(SHOWN_MS, () => this.dismiss(notice.id));
  }

  dismiss(id: number): void {
    this.list.value = this.list.value.filter((notice) => notice.id !== id);
  }
}
