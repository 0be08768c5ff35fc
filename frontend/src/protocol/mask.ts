/**
 * The mask codec of `annotator/masks.py`: six little-endian u16 (height, width, y0, x0, box height, box width), then
 * LEB128 varints: alternating run lengths of background and foreground over the box, row by row, background first.
 */
import { ProtocolError } from "./schema";

const HEADER_BYTES = 12;
const MAX_VARINT_BYTES = 5;

/** A slice's mask as its runs; the box is where the runs lie. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  readonly y0: number;
  readonly x0: number;
  readonly boxHeight: number;
  readonly boxWidth: number;
  readonly runs: readonly number[];
  /** The model's own estimate of its Dice, where a model made it. */
  readonly quality?: number;
}

/** Foreground pixels `start <= x < end` of row `y`, in slice coordinates. */
export interface Interval {
  readonly y: number;
  readonly start: number;
  readonly end: number;
}

export function emptyMask(height: number, width: number): Mask {
  return { height, width, y0: 0, x0: 0, boxHeight: 0, boxWidth: 0, runs: [] };
}

export const area = (mask: Mask): number => mask.runs.reduce((sum, run, i) => (i % 2 ? sum + run : sum), 0);

export function decodeMask(data: Uint8Array): Mask {
  if (data.length < HEADER_BYTES) throw new ProtocolError("The mask is shorter than its header.");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [height, width, y0, x0, boxHeight, boxWidth] = [0, 2, 4, 6, 8, 10].map((at) => view.getUint16(at, true)) as Six;
  if (y0 + boxHeight > height || x0 + boxWidth > width) throw new ProtocolError("The mask's box is outside the slice.");
  const runs = readVarints(data.subarray(HEADER_BYTES));
  const filled = runs.reduce((sum, run) => sum + run, 0);
  if (filled !== boxHeight * boxWidth) throw new ProtocolError("The mask's runs do not fill its box.");
  return { height, width, y0, x0, boxHeight, boxWidth, runs };
}

type Six = [number, number, number, number, number, number];

export function encodeMask(mask: Mask): Uint8Array {
  const bytes: number[] = [];
  for (const n of [mask.height, mask.width, mask.y0, mask.x0, mask.boxHeight, mask.boxWidth])
    bytes.push(n & 0xff, n >> 8);
  for (const run of mask.runs) writeVarint(bytes, run);
  return Uint8Array.from(bytes);
}

/** The encoded mask as a text. */
export function maskToText(mask: Mask): string {
  let binary = "";
  for (const byte of encodeMask(mask)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Throws ProtocolError where the text is no mask. */
export function maskFromText(text: string): Mask {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new ProtocolError("The mask is not base64.");
  }
  return decodeMask(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)));
}

function readVarints(data: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let scale = 1; // a multiplier, not a shift: five groups hold 35 bits
  for (const byte of data) {
    if (scale >= 2 ** (7 * MAX_VARINT_BYTES)) throw new ProtocolError("A run of the mask is longer than a slice.");
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
    scale = 1;
  }
  if (scale !== 1) throw new ProtocolError("The mask's runs are cut short.");
  return values;
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** The foreground as intervals of rows, top to bottom, left to right: runs cut where they pass from one row to the next. */
export function* intervals(mask: Mask): Generator<Interval> {
  let at = 0;
  for (const [i, run] of mask.runs.entries()) {
    if (i % 2 === 1) yield* cutIntoRows(mask, at, at + run);
    at += run;
  }
}

function* cutIntoRows(mask: Mask, from: number, to: number): Generator<Interval> {
  for (let at = from; at < to; ) {
    const row = Math.floor(at / mask.boxWidth);
    const rowStart = row * mask.boxWidth;
    const end = Math.min(to, rowStart + mask.boxWidth);
    yield { y: mask.y0 + row, start: mask.x0 + at - rowStart, end: mask.x0 + end - rowStart };
    at = end;
  }
}

/** The intervals of each row of the box. */
export function rowsOf(mask: Mask): readonly (readonly Interval[])[] {
  const rows: Interval[][] = Array.from({ length: mask.boxHeight }, () => []);
  for (const interval of intervals(mask)) rows[interval.y - mask.y0]?.push(interval);
  return rows;
}

/** The mask of intervals that lie in the order of `intervals` and do not meet one another. */
export function fromIntervals(given: Iterable<Interval>, height: number, width: number): Mask {
  const all = [...given];
  const [first, last] = [all[0], all.at(-1)];
  if (!first || !last) return emptyMask(height, width);
  let [x0, x1] = [width, 0];
  for (const { start, end } of all) [x0, x1] = [Math.min(x0, start), Math.max(x1, end)];
  const box = { y0: first.y, x0, boxHeight: last.y + 1 - first.y, boxWidth: x1 - x0 };
  return { height, width, ...box, runs: runsOf(all, box) };
}

type Box = Pick<Mask, "y0" | "x0" | "boxHeight" | "boxWidth">;

function runsOf(all: readonly Interval[], { y0, x0, boxHeight, boxWidth }: Box): number[] {
  const runs: number[] = [];
  let filled = 0;
  for (const { y, start, end } of all) {
    const from = (y - y0) * boxWidth + start - x0;
    if (from === filled && runs.length > 0) runs.push((runs.pop() ?? 0) + end - start);
    else runs.push(from - filled, end - start);
    filled = from + end - start;
  }
  if (filled < boxHeight * boxWidth) runs.push(boxHeight * boxWidth - filled);
  return runs;
}

/** One byte per pixel of the whole slice, row-major: 1 is foreground. */
export function toPixels(mask: Mask): Uint8Array {
  const pixels = new Uint8Array(mask.height * mask.width);
  for (const { y, start, end } of intervals(mask)) pixels.fill(1, y * mask.width + start, y * mask.width + end);
  return pixels;
}

export function fromPixels(pixels: ArrayLike<number>, height: number, width: number): Mask {
  const box = boundingBox(pixels, height, width);
  if (!box) return emptyMask(height, width);
  const runs = [0];
  let value = false;
  for (let y = box.y0; y < box.y0 + box.boxHeight; y++) {
    for (let x = box.x0; x < box.x0 + box.boxWidth; x++) {
      if (Boolean(pixels[y * width + x]) !== value) {
        value = !value;
        runs.push(0);
      }
      runs[runs.length - 1] = (runs[runs.length - 1] ?? 0) + 1;
    }
  }
  return { height, width, ...box, runs };
}

function boundingBox(pixels: ArrayLike<number>, height: number, width: number) {
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let at = 0; at < height * width; at++) {
    if (!pixels[at]) continue;
    const [y, x] = [Math.floor(at / width), at % width];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
  }
  if (bottom < 0) return undefined;
  return { y0: top, x0: left, boxHeight: bottom - top + 1, boxWidth: right - left + 1 };
}
