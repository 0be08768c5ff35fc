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
  async run(from: Place, directions: readonly Direction[]): Promise<number> {
    if (this.progress.value) return 0;
    this.isStopped = false;
    let slices = 0;
    for (const direction of directions)
      for (let z = from.z + direction; this.mayEnter({ ...from, z }); z += direction) {
        this.progress.value = { direction, slices };
        if ((await this.session.propagate({ ...from, z }, z - direction)) !== "stored") break;
        slices += 1;
      }
    this.progress.value = undefined;
    return slices;
  }

  stop(): void {
    this.isStopped = true;
  }

  private mayEnter(place: Place): boolean {
    if (this.isStopped || place.z < 0 || place.z >= this.depth) return false;
    const mask = this.session.masks.at(place);
    return !mask?.runs.length || isUnconfirmed(this.session.clicks.value, place);
  }
}
