/** How long answers take and how many come per second, as the person feels it. */
import { signal } from "@preact/signals-core";
import type { MaskFrame, MaskKind } from "../protocol/maskframe";

export interface Answer {
  readonly number: number;
  readonly kind: MaskKind;
  readonly networkMs: number;
  readonly totalMs: number;
  /** From sending the question to having the answer here. */
  readonly roundTripMs: number;
}

const WINDOW_MS = 1000;

export class Timing {
  readonly lastAnswer = signal<Answer | undefined>(undefined);
  /** Masks per second of the drag now going on or just ended; undefined before the first drag. */
  readonly rate = signal<number | undefined>(undefined);
  private arrivals: number[] = [];

  answered(frame: MaskFrame, sentAt: number, now: number): void {
    const { number, kind, networkMs, totalMs } = frame;
    this.lastAnswer.value = { number, kind, networkMs, totalMs, roundTripMs: now - sentAt };
  }

  startDrag(): void {
    this.arrivals = [];
  }

  previewShown(now: number): void {
    this.arrivals = [...this.arrivals.filter((at) => now - at <= WINDOW_MS), now];
    const span = now - (this.arrivals[0] ?? now);
    if (this.arrivals.length >= 3 && span > 0) this.rate.value = ((this.arrivals.length - 1) * 1000) / span;
  }
}
