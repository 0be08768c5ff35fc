/**
 * The two planes across the slices, made of one line of each slice: a row for the coronal plane, a column for the
 * sagittal one. A line is a row of the picture, the highest slice at the top, so that the head is up. What comes out is
 * what a viewer shows of a slice: values, masks and voxels of the plane's own grid.
 */
import { fromPixels, intervals, type Mask } from "../protocol/mask";
import { type Grid, type Voxel, voxel } from "./geometry";
import type { LabelMask } from "./layers";
import type { PatientMatrix } from "./orientation";

export type PlaneName = "coronal" | "sagittal";
export const PLANE_NAMES: readonly PlaneName[] = ["coronal", "sagittal"];

/** A voxel of the volume: column, row and slice, zero-based. */
export interface VolumePoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Slices, rows, columns, or mm in the same order. */
type Triple = readonly [number, number, number];

export class Plane {
  readonly name: PlaneName;
  readonly grid: Grid;
  readonly depth: number;
  /** How many cuts there are, one for each row or column of a slice. */
  readonly cuts: number;
  /** From one value of a line to the next, in a slice's values. */
  readonly stride: number;

  constructor(name: PlaneName, [depth, rows, columns]: Triple, [sliceMm, rowMm, columnMm]: Triple) {
    const upright = { rows: depth, rowMm: sliceMm };
    [this.name, this.depth] = [name, depth];
    [this.grid, this.cuts, this.stride] =
      name === "coronal"
        ? [{ columns, columnMm, ...upright }, rows, 1]
        : [{ columns: rows, columnMm: rowMm, ...upright }, columns, columns];
  }

  /** The cut on which a point lies. */
  cutAt({ x, y }: { readonly x: number; readonly y: number }): number {
    return this.name === "coronal" ? y : x;
  }

  toVoxel({ x, y, z }: VolumePoint): Voxel {
    return voxel(this.name === "coronal" ? x : y, this.rowOf(z));
  }

  toPoint({ x: along, y: row }: Voxel, cut: number): VolumePoint {
    const z = this.rowOf(row);
    return this.name === "coronal" ? { x: along, y: cut, z } : { x: cut, y: along, z };
  }

  /** The row of slice z, and the slice of a row. */
  rowOf(z: number): number {
    return this.depth - 1 - z;
  }

  /** Where the first value of a cut's line is among a slice's values. */
  startOf(cut: number): number {
    return this.name === "coronal" ? cut * this.grid.columns : cut;
  }

  /** From (column, row, cut) of the plane to mm in the patient, given that of (x, y, z) of the volume. */
  matrix(affine: PatientMatrix): PatientMatrix {
    const [along, across] = this.name === "coronal" ? [0, 1] : [1, 0];
    return [0, 4, 8, 12].flatMap((row) => {
      const [up, origin] = [affine[row + 2] ?? 0, affine[row + 3] ?? 0];
      return [affine[row + along] ?? 0, -up, affine[row + across] ?? 0, origin + up * (this.depth - 1)];
    });
  }
}

/** What stands where no slice has come yet: black in every window. */
export const BLANK = -32768;

/** What a row shows: nothing yet, the line of a slice nearby, or that of its own. */
const [EMPTY, LENT, OWN] = [0, 1, 2];

/** The values of one cut. It keeps its own copy of the lines, so that slices may be forgotten. */
export class PlaneImage {
  private readonly plane: Plane;
  private readonly values: Int16Array;
  private readonly rows: Uint8Array;
  private cut = -1;
  private picture: Int16Array;

  constructor(plane: Plane) {
    this.plane = plane;
    this.rows = new Uint8Array(plane.depth);
    this.picture = this.values = new Int16Array(plane.depth * plane.grid.columns).fill(BLANK);
  }

  /**
   * The picture [row, column], the same array as before where nothing is new. `sliceAt` gives what there is of a slice;
   * where it has none, the last multiple of `step` below lends its line.
   */
  at(cut: number, sliceAt: (z: number) => Int16Array | undefined, step = 1): Int16Array {
    let isNew = this.turnTo(cut);
    for (let z = 0; z < this.plane.depth; z++) isNew = this.fillRow(z, sliceAt, step) || isNew;
    if (isNew) this.picture = this.values.slice();
    return this.picture;
  }

  private turnTo(cut: number): boolean {
    if (cut === this.cut) return false;
    this.cut = cut;
    this.values.fill(BLANK);
    this.rows.fill(EMPTY);
    return true;
  }

  private fillRow(z: number, sliceAt: (z: number) => Int16Array | undefined, step: number): boolean {
    if (this.rows[z] === OWN) return false;
    const own = sliceAt(z);
    const slice = own ?? (this.rows[z] === LENT ? undefined : sliceAt(z - (z % step)));
    if (!slice) return false;
    this.copyLine(slice, z);
    this.rows[z] = own ? OWN : LENT;
    return true;
  }

  private copyLine(slice: Int16Array, z: number): void {
    const { stride, grid } = this.plane;
    const row = this.plane.rowOf(z) * grid.columns;
    let from = this.plane.startOf(this.cut);
    for (let i = 0; i < grid.columns; i++, from += stride) this.values[row + i] = slice[from] as number;
  }
}

/** The masks of a slice. */
export type SliceMasks = readonly [z: number, masks: readonly LabelMask[]];

/** First and last + 1 of each stretch of foreground along a line, one after the other. */
type Line = readonly number[];

interface Kept {
  readonly text: string;
  readonly shown: LabelMask;
}

/** The masks of one cut. A mask that changes elsewhere leaves what is shown the very same. */
export class PlaneMasks {
  private readonly plane: Plane;
  private readonly labels: readonly number[];
  private readonly kept = new Map<number, Kept>();
  private lines = new WeakMap<Mask, Line>();
  private cut = -1;
  private shown: readonly LabelMask[] = [];

  /** `labels`: the lowest first, as the slice draws them. */
  constructor(plane: Plane, labels: readonly number[]) {
    [this.plane, this.labels] = [plane, labels];
  }

  /** What each label has of the cut; rows of slices that nobody has confirmed are dashed. */
  at(cut: number, slices: readonly SliceMasks[]): readonly LabelMask[] {
    if (cut !== this.cut) this.lines = new WeakMap();
    this.cut = cut;
    const shown = this.labels.flatMap((label) => this.labelMask(label, slices) ?? []);
    const isSame = shown.length === this.shown.length && shown.every((mask, i) => mask === this.shown[i]);
    if (!isSame) this.shown = shown;
    return this.shown;
  }

  private labelMask(label: number, slices: readonly SliceMasks[]): LabelMask | undefined {
    const rows = slices.flatMap(([z, masks]) => {
      const found = masks.find((mask) => mask.label === label);
      const line = found ? this.lineOf(found.mask) : [];
      return found && line.length > 0 ? [{ row: this.plane.rowOf(z), line, found }] : [];
    });
    const [first] = rows;
    if (!first) return undefined;
    const { colour } = first.found;
    const text = rows.map(({ row, line, found }) => `${row}${found.unconfirmed ? "?" : ":"}${line}`).join(" ") + colour;
    const kept = this.kept.get(label);
    if (kept?.text === text) return kept.shown;
    const unconfirmed = new Set(rows.filter(({ found }) => found.unconfirmed).map(({ row }) => row));
    const shown = { label, colour, mask: this.maskOf(rows), unconfirmed };
    this.kept.set(label, { text, shown });
    return shown;
  }

  private lineOf(mask: Mask): Line {
    const line = this.lines.get(mask) ?? lineOf(mask, this.plane, this.cut);
    this.lines.set(mask, line);
    return line;
  }

  private maskOf(rows: readonly { readonly row: number; readonly line: Line }[]): Mask {
    const { columns, rows: height } = this.plane.grid;
    const pixels = new Uint8Array(height * columns);
    for (const { row, line } of rows)
      for (let i = 0; i < line.length; i += 2)
        pixels.fill(1, row * columns + (line[i] as number), row * columns + (line[i + 1] as number));
    return fromPixels(pixels, height, columns);
  }
}

function lineOf(mask: Mask, plane: Plane, cut: number): Line {
  const triples = unrolled(mask);
  const line: number[] = [];
  for (let i = 0; i < triples.length; i += 3) {
    const [y, start, end] = [triples[i] as number, triples[i + 1] as number, triples[i + 2] as number];
    if (plane.name === "coronal" && y === cut) line.push(start, end);
    else if (plane.name === "sagittal" && start <= cut && cut < end) {
      if (line.at(-1) === y) line[line.length - 1] = y + 1;
      else line.push(y, y + 1);
    }
  }
  return line;
}

const known = new WeakMap<Mask, Uint16Array>();

/** Row, start and end of each interval: a cut that moves asks every mask again, and walking its runs takes ten times as long. */
function unrolled(mask: Mask): Uint16Array {
  const found =
    known.get(mask) ?? Uint16Array.from([...intervals(mask)].flatMap(({ y, start, end }) => [y, start, end]));
  known.set(mask, found);
  return found;
}
