/** The steps that undo and redo can reach: shown as a list, jumped to, and replayed for one slice. */
import { effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { SliceClicks } from "../protocol/messages";
import type { Timers } from "../session/connection";
import { type Place, samePlace } from "../session/place";
import type { Session } from "../session/session";

/** As `annotator/annotation/history.py` has it. */
export interface Step {
  readonly sequence: number;
  readonly kind: "add_click" | "move_click" | "delete_click" | "paint" | "propagate";
  readonly tool: string;
  readonly slice: SliceClicks;
  readonly person: string;
  readonly at: string;
  readonly in_force: boolean;
}

/** Time for more steps to come before the list is read again. */
const RESTS_MS = 250;
const FRAME_MS = 700;

export class History {
  /** Whether anybody looks at the list; only then is it read. */
  readonly isOpen = signal(false);
  readonly steps = signal<readonly Step[]>([]);
  /** The moment that a replay shows. */
  readonly replayed = signal<Step | undefined>(undefined);
  private readonly session: Session;
  private readonly load: () => Promise<readonly Step[]>;
  private readonly timers: Timers;
  private cancelLoad: () => void = () => {};
  private cancelFrame: () => void = () => {};

  constructor(session: Session, load: () => Promise<readonly Step[]>, timers: Timers) {
    [this.session, this.load, this.timers] = [session, load, timers];
    effect(() => {
      session.logged.value;
      if (!this.isOpen.value) return;
      this.cancelLoad();
      this.cancelLoad = timers.after(RESTS_MS, () => void this.read());
    });
  }

  /** Undoes or redoes so that this step is the last in force; `undefined` is the beginning. */
  goTo(step: Step | undefined): void {
    this.stop();
    const steps = this.steps.value;
    const wanted = step ? steps.indexOf(step) + 1 : 0;
    const inForce = steps.filter(({ in_force }) => in_force).length;
    if (wanted < inForce) this.session.undo(inForce - wanted);
    else if (wanted > inForce) this.session.redo(wanted - inForce);
  }

  /** Shows how the mask of a place was made, step by step. */
  async replay(place: Place): Promise<void> {
    this.stop();
    await this.read();
    const story = this.steps.value.filter(({ slice, in_force }) => in_force && samePlace(slice, place));
    if (story.length === 0) return this.session.notices.say("Nothing was done here yet.");
    this.show(story);
  }

  stop(): void {
    const shown = this.replayed.value;
    this.cancelFrame();
    if (!shown) return;
    this.replayed.value = undefined;
    this.session.endRehearsal(shown.slice);
  }

  private show([step, ...later]: readonly Step[]): void {
    if (!step) return this.stop();
    this.replayed.value = step;
    this.session.rehearse(step.slice);
    this.cancelFrame = this.timers.after(FRAME_MS, () => this.show(later));
  }

  private async read(): Promise<void> {
    try {
      this.steps.value = await this.load();
    } catch (error) {
      this.session.notices.say(`The history could not be read. ${(error as Error).message}`);
    }
  }
}

/** Whether a replay is under way here. */
export const replaysAt = (replayed: ReadonlySignal<Step | undefined>, place: Place): Step | undefined =>
  replayed.value && samePlace(replayed.value.slice, place) ? replayed.value : undefined;

const TOOLS: Readonly<Record<string, string>> = {
  accept: "Accepted",
  brush: "Brush",
  eraser: "Eraser",
  lasso: "Lasso",
  threshold: "Brush in a range",
  fill: "Holes filled",
  largest: "Largest piece kept",
  grow: "Grown",
  shrink: "Shrunk",
  copy: "Copied",
  clear: "Cleared",
};

/** What a step was, in two or three words. */
export function named({ kind, tool, sequence, slice }: Step): string {
  if (kind === "paint") return TOOLS[tool] ?? tool;
  if (kind === "propagate") return "Propagated";
  if (kind === "move_click") return "Click moved";
  if (kind === "delete_click") return "Click deleted";
  const background = slice.clicks.find(({ id }) => id === sequence)?.positive === false;
  return background ? "Background click" : "Foreground click";
}
