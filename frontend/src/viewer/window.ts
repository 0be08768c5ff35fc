/** Window and level: which Hounsfield units are black, grey and white. */
import { gettext } from "../words";

export interface GreyWindow {
  readonly width: number;
  readonly level: number;
}

export interface Preset extends GreyWindow {
  readonly name: string;
}

export const PRESETS: readonly Preset[] = [
  { name: gettext("Abdomen"), width: 400, level: 40 },
  { name: gettext("Liver"), width: 150, level: 30 },
  { name: gettext("Lung"), width: 1500, level: -600 },
  { name: gettext("Bone"), width: 1800, level: 400 },
  { name: gettext("Brain"), width: 80, level: 40 },
];

const INT16 = 65536;
const OPAQUE = 0xff000000;
const WIDEST = 8000;

export const limited = ({ width, level }: GreyWindow): GreyWindow => ({
  width: Math.round(Math.min(Math.max(width, 1), WIDEST)),
  level: Math.round(Math.min(Math.max(level, -2048), 6000)),
});

/**
 * For every int16 its grey as a little-endian RGBA word: (v − low) / width, the plain linear formula. DICOM's own
 * shifts the window by half a unit, which nobody can see and everybody gets wrong once.
 */
export function lookupTable({ width, level }: GreyWindow): Uint32Array {
  const low = level - width / 2;
  const table = new Uint32Array(INT16);
  for (let i = 0; i < INT16; i++) {
    const grey = Math.round(255 * Math.min(Math.max((i - INT16 / 2 - low) / width, 0), 1));
    table[i] = OPAQUE | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

export function paintGreys(values: Int16Array, table: Uint32Array, rgba: Uint32Array): void {
  for (let i = 0; i < values.length; i++) rgba[i] = table[(values[i] as number) + INT16 / 2] as number;
}

const AIR = -900;

/** A window from the 2nd to the 99.5th percentile of what is not air. */
export function autoWindow(values: Int16Array): GreyWindow {
  const body = values.filter((value) => value > AIR);
  const sorted = (body.length > values.length / 100 ? body : values.slice()).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const [low, high] = [at(0.02), at(0.995)];
  return limited({ width: high - low, level: (high + low) / 2 });
}
