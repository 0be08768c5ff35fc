/** Carries the mask of a slice up and down, a slice at a time, until the structure ends or a person's own slice is reached. */
import { signal } from "@preact/signals-core";
import { isUnconfirmed } from "../session/clicks";
import type { Place } from "../session/place";
import type { Session } from "../session/session";

export type Direction = 1 | -1;

export interface Progress {
  readonly direction: Direction;
  readonly slices: number;
}

export class Propagation {
  /** While it is under way. */
  readonly progress = signal<Progress | undefined>(undefined);
  private readonly session: Session;
  private readonly depth: number;
  private isStopped = false;

  constructor(session: Session, depth: number) {
    [this.session, this.depth] = [session, depth];
  }

  /** In one direction after the other; the number of slices that were reached. */
  run(from: Place, directions: readonly Direction[]): Promise<number> {
    return this.walk(from, directions, false, (place) => this.isFree(place));
  }

  /** What was corrected here flows on to unconfirmed slices, as far as it is believed in more than what they have. */
  flow(from: Place): Promise<number> {
    return this.walk(from, [1, -1], true, (place) => this.isUnconfirmed(place));
  }

  private async walk(
    { label, z: start }: Place,
    directions: readonly Direction[],
    better: boolean,
    mayEnter: (place: Place) => boolean,
  ): Promise<number> {
    if (this.progress.value) return 0;
    this.isStopped = false;
    let slices = 0;
    for (const direction of directions)
      for (let z = start + direction; !this.isStopped && mayEnter({ label, z }); z += direction) {
        this.progress.value = { direction, slices };
        if ((await this.session.propagate({ label, z }, z - direction, better)) !== "stored") break;
        slices += 1;
      }
    this.progress.value = undefined;
    return slices;
  }

  stop(): void {
    this.isStopped = true;
  }

  private isFree(place: Place): boolean {
    if (place.z < 0 || place.z >= this.depth) return false;
    return !this.session.masks.at(place)?.runs.length || this.isUnconfirmed(place);
  }

  private isUnconfirmed(place: Place): boolean {
    return isUnconfirmed(this.session.clicks.value, place);
  }
}
