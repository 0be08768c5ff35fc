/** What a person likes, remembered by the browser. */
import { effect, type Signal, signal } from "@preact/signals-core";
import type { PaintPreferences, Range } from "./painting";

export interface Preferences extends PaintPreferences {
  readonly opacity: Signal<number>;
  readonly outlined: Signal<boolean>;
  readonly smooth: Signal<boolean>;
  /** Whether the coronal and the sagittal plane stand beside the slice. */
  readonly planes: Signal<boolean>;
  /** Keys without Ctrl can be turned off: speech input and tremor type them by accident (WCAG 2.1.4). */
  readonly singleKeys: Signal<boolean>;
}

const NAME = "annotator.preferences";

export function rememberedPreferences(storage: Storage): Preferences {
  const known = read(storage);
  const preferences: Preferences = {
    opacity: signal(typeof known.opacity === "number" ? known.opacity : 0.3),
    outlined: signal(known.outlined !== false),
    smooth: signal(known.smooth !== false),
    planes: signal(known.planes === true),
    brushMm: signal(typeof known.brushMm === "number" ? known.brushMm : 5),
    range: signal(isRange(known.range) ? known.range : { low: 0, high: 200 }),
    singleKeys: signal(known.singleKeys !== false),
  };
  effect(() => write(storage, preferences));
  return preferences;
}

function isRange(value: unknown): value is Range {
  const { low, high } = (value ?? {}) as Partial<Range>;
  return typeof low === "number" && typeof high === "number";
}

function read(storage: Storage): Record<string, unknown> {
  try {
    return JSON.parse(storage.getItem(NAME) ?? "{}") as Record<string, unknown>;
  } catch {
    return {};
  }
}

function write(storage: Storage, preferences: Preferences): void {
  const values = Object.entries(preferences).map(([name, value]) => [name, (value as Signal<unknown>).value]);
  try {
    storage.setItem(NAME, JSON.stringify(Object.fromEntries(values)));
  } catch {
    // A browser that forbids storage forgets preferences, nothing worse.
  }
}
