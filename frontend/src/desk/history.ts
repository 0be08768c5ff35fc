/** The steps that undo and redo can reach: shown as a list, jumped to, and replayed for one slice. */
import { effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { SliceClicks } from "../protocol/messages";
import type { Timers } from "../live/connection";
import { type Place, samePlace } from "../session/place";
import type { Session } from "../session/session";
import { gettext } from "../words";

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

/** The newest of them, as the server lists them. */
export interface Steps {
  readonly steps: readonly Step[];
  /** Steps before these. */
  readonly older: number;
  /** Of all steps; the others were undone. */
  readonly in_force: number;
}

const NOTHING: Steps = { steps: [], older: 0, in_force: 0 };
/** Steps listed at first; each time that older ones are wanted, twice as many. */
const PAGE = 200;
/** The newest steps among which a replay looks for those of its slice. */
const REPLAYED = 2000;
/** Time for more steps to come before the list is read again. */
const RESTS_MS = 250;
const FRAME_MS = 700;

export class History {
  /** Whether anybody looks at the list; only then is it read. */
  readonly isOpen = signal(false);
  readonly listed = signal<Steps>(NOTHING);
  /** The moment that a replay shows. */
  readonly replayed = signal<Step | undefined>(undefined);
  private readonly session: Session;
  private readonly load: (most: number) => Promise<Steps>;
  private readonly timers: Timers;
  private most = PAGE;
  private cancelLoad: () => void = () => {};
  private cancelFrame: () => void = () => {};

  constructor(session: Session, load: (most: number) => Promise<Steps>, timers: Timers) {
    [this.session, this.load, this.timers] = [session, load, timers];
    effect(() => {
      session.logged.value;
      if (!this.isOpen.value) return;
      this.cancelLoad();
      this.cancelLoad = timers.after(RESTS_MS, async () => {
        this.listed.value = await this.read(this.most);
      });
    });
  }

  /** Undoes or redoes so that this step is the last in force; `undefined` is the beginning. */
  goTo(step: Step | undefined): void {
    this.stop();
    const { steps, older, in_force } = this.listed.value;
    const wanted = step ? older + steps.indexOf(step) + 1 : 0;
    if (wanted < in_force) this.session.undo(in_force - wanted);
    else if (wanted > in_force) this.session.redo(wanted - in_force);
  }

  async showOlder(): Promise<void> {
    this.most *= 2;
    this.listed.value = await this.read(this.most);
  }

  /** Shows how the mask of a place was made, step by step. */
  async replay(place: Place): Promise<void> {
    this.stop();
    const { steps } = await this.read(REPLAYED);
    const story = steps.filter(({ slice, in_force }) => in_force && samePlace(slice, place));
    if (story.length === 0) return this.session.notices.say(gettext("Nothing was done here yet."));
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

  private async read(most: number): Promise<Steps> {
    try {
      return await this.load(most);
    } catch (error) {
      this.session.notices.say(`${gettext("The history could not be read.")} ${(error as Error).message}`);
      return this.listed.value;
    }
  }
}

/** Whether a replay is under way here. */
export const replaysAt = (replayed: ReadonlySignal<Step | undefined>, place: Place): Step | undefined =>
  replayed.value && samePlace(replayed.value.slice, place) ? replayed.value : undefined;

const TOOLS: Readonly<Record<string, string>> = {
  accept: gettext("Accepted"),
  brush: gettext("Brush"),
  eraser: gettext("Eraser"),
  lasso: gettext("Lasso"),
  threshold: gettext("Brush in a range"),
  fill: gettext("Holes filled"),
  largest: gettext("Largest piece kept"),
  grow: gettext("Grown"),
  shrink: gettext("Shrunk"),
  copy: gettext("Copied"),
  clear: gettext("Cleared"),
  agreed: gettext("Both agree"),
  first: gettext("First reading"),
  second: gettext("Second reading"),
  union: gettext("Either reading"),
  intersection: gettext("Both readings"),
};

/** What a step was, in two or three words. */
export function named({ kind, tool, sequence, slice }: Step): string {
  if (kind === "paint") return TOOLS[tool] ?? tool;
  if (kind === "propagate") return gettext("Propagated");
  if (kind === "move_click") return gettext("Click moved");
  if (kind === "delete_click") return gettext("Click deleted");
  const background = slice.clicks.find(({ id }) => id === sequence)?.positive === false;
  return background ? gettext("Background click") : gettext("Foreground click");
}
