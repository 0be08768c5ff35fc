/**
 * Carries the mask of a slice up and down, a slice at a time, until the structure ends or a person's own slice is reached.
 * Towards such a slice the mask is drawn: between two confirmed slices the structure is taken to go on.
 */
import { signal } from "@preact/signals-core";
import { emptyMask } from "../protocol/mask";
import { isUnconfirmed } from "../session/clicks";
import type { Place } from "../session/place";
import type { Session } from "../session/session";
import type { Grid } from "../viewer/geometry";

export type Direction = 1 | -1;

export interface Progress {
  readonly direction: Direction;
  readonly slices: number;
}

export class Propagation {
  /** While it is under way. */
  readonly progress = signal<Progress | undefined>(undefined);
  private readonly session: Session;
  private readonly grid: Grid;
  private readonly depth: number;
  private isStopped = false;

  constructor(session: Session, grid: Grid, depth: number) {
    [this.session, this.grid, this.depth] = [session, grid, depth];
  }

  /** In one direction after the other; the number of slices that were reached. */
  run(from: Place, directions: readonly Direction[]): Promise<number> {
    return this.walk(from, directions, false, this.isFree);
  }

  /** Fills what lies between the nearest confirmed slices; undefined where there are none on both sides. */
  fill(at: Place): Promise<number> | undefined {
    const [below, above] = [this.confirmedFrom(at, -1), this.confirmedFrom(at, 1)];
    if (this.isConfirmed(at)) {
      const directions = ([1, -1] as const).filter((d) => (d > 0 ? above : below) !== undefined);
      return directions.length > 0 ? this.run(at, directions) : undefined;
    }
    return below !== undefined && above !== undefined ? this.run({ ...at, z: below }, [1]) : undefined;
  }

  /**
   * What was corrected here flows on to unconfirmed slices: up to a confirmed one, else as far as it is believed in more than
   * what they have. Where nothing is left here, the structure ends: nothing stays on the side that no confirmed slice holds.
   */
  flow(from: Place): Promise<number> {
    if (this.session.masks.at(from)?.runs.length) return this.walk(from, [1, -1], true, this.isUnconfirmed);
    this.end(from);
    return Promise.resolve(0);
  }

  private async walk(
    { label, z: start }: Place,
    directions: readonly Direction[],
    corrects: boolean,
    mayEnter: (place: Place) => boolean,
  ): Promise<number> {
    if (this.progress.value) return 0;
    this.isStopped = false;
    let slices = 0;
    for (const direction of directions) {
      const ahead = this.heldBy({ label, z: start }, direction, mayEnter);
      for (let z = start + direction; !this.isStopped && mayEnter({ label, z }); z += direction) {
        this.progress.value = { direction, slices };
        const better = corrects && ahead === undefined;
        if ((await this.session.propagate({ label, z }, z - direction, ahead ?? z, better)) !== "stored") break;
        slices += 1;
      }
    }
    this.progress.value = undefined;
    return slices;
  }

  /** Clears the unconfirmed slices beyond one that was cleared, unless both sides or neither lead to a confirmed one. */
  private end(from: Place): void {
    const open = ([1, -1] as const).filter((d) => this.heldBy(from, d, this.isUnconfirmed) === undefined);
    const direction = open[0];
    if (direction === undefined || open.length > 1) return;
    const { rows, columns } = this.grid;
    for (let z = from.z + direction; this.isUnconfirmed({ ...from, z }); z += direction)
      this.session.paint({ ...from, z }, "clear", emptyMask(rows, columns));
  }

  stop(): void {
    this.isStopped = true;
  }

  /** The confirmed slice that a way over such slices leads to, if it does. */
  private heldBy(from: Place, direction: Direction, mayEnter: (place: Place) => boolean): number | undefined {
    let z = from.z + direction;
    while (mayEnter({ ...from, z })) z += direction;
    return this.isConfirmed({ ...from, z }) ? z : undefined;
  }

  /** The nearest confirmed slice in a direction. */
  private confirmedFrom(from: Place, direction: Direction): number | undefined {
    return this.heldBy(from, direction, this.isFree);
  }

  private isConfirmed(place: Place): boolean {
    return Boolean(this.session.masks.at(place)?.runs.length) && !this.isUnconfirmed(place);
  }

  private readonly isFree = (place: Place): boolean => place.z >= 0 && place.z < this.depth && !this.isConfirmed(place);

  private readonly isUnconfirmed = (place: Place): boolean => isUnconfirmed(this.session.clicks.value, place);
}
