/** Where the patient is: letters, millimetres and the scale bar, all from the series' affine. */
import { decimal } from "../words";

/** Row-major 4×4: voxel (x, y, z, 1) to mm towards right, anterior, superior. */
export type PatientMatrix = readonly number[];

type Direction = readonly [number, number, number];
const LETTERS = [
  ["R", "L"],
  ["A", "P"],
  ["S", "I"],
] as const;
/** A second letter where the edge leans more than about 12 degrees towards it. */
const LEANS = 0.2;

export interface EdgeLetters {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

export function edgeLetters(matrix: PatientMatrix): EdgeLetters {
  const [column, row] = [axis(matrix, 0), axis(matrix, 1)];
  return { right: letters(column), left: letters(opposite(column)), bottom: letters(row), top: letters(opposite(row)) };
}

/** The letters of a direction, the strongest first: "L", or "LA" for an oblique one. */
export function letters(direction: Direction): string {
  const length = Math.hypot(...direction) || 1;
  return direction
    .map((value, i) => ({ share: Math.abs(value) / length, letter: letterOf(i, value) }))
    .filter(({ share }) => share > LEANS)
    .sort((a, b) => b.share - a.share)
    .map(({ letter }) => letter)
    .join("");
}

/** A position in mm as people say it: "L 12.3 P 40.0 S 102.5". */
export function positionText(matrix: PatientMatrix, x: number, y: number, z: number): string {
  const mm = [0, 1, 2].map((i) => dot(matrix.slice(4 * i, 4 * i + 4), [x, y, z, 1]));
  return mm.map((value, i) => `${letterOf(i, value)} ${decimal(Math.abs(value), 1)}`).join("  ");
}

const letterOf = (i: number, value: number): string => LETTERS[i]?.[value >= 0 ? 0 : 1] ?? "";
const axis = (matrix: PatientMatrix, column: number): Direction =>
  [0, 4, 8].map((row) => matrix[row + column] ?? 0) as unknown as Direction;
const opposite = (direction: Direction): Direction => direction.map((value) => -value) as unknown as Direction;
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

export interface ScaleBar {
  readonly mm: number;
  readonly pixels: number;
  readonly text: string;
}

/** The longest of 1, 2, 5, 10 … mm that is no longer than `most` CSS pixels. */
export function scaleBar(zoom: number, most: number): ScaleBar {
  const power = 10 ** Math.floor(Math.log10(most / zoom));
  const mm = ([5, 2].find((step) => step * power * zoom <= most) ?? 1) * power;
  return { mm, pixels: mm * zoom, text: mm >= 10 ? `${mm / 10} cm` : `${mm} mm` };
}
