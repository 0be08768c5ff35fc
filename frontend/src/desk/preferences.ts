/** What a person likes, remembered by the browser. */
import { batch, effect, type Signal, signal } from "@preact/signals-core";
import { type Bindings, bindingsFrom } from "./keys";
import type { PaintPreferences, Range } from "./painting";

export interface Preferences extends PaintPreferences {
  readonly opacity: Signal<number>;
  readonly outlined: Signal<boolean>;
  readonly smooth: Signal<boolean>;
  /** Whether the coronal and the sagittal plane stand beside the slice. */
  readonly planes: Signal<boolean>;
  /** Keys without Ctrl can be turned off: speech input and tremor type them by accident (WCAG 2.1.4). */
  readonly singleKeys: Signal<boolean>;
  /** Keys other than those of the table. */
  readonly keys: Signal<Bindings>;
}

const NAME = "annotator.preferences";

type Values = { readonly [name in keyof Preferences]: Preferences[name] extends Signal<infer Value> ? Value : never };

/** What this window and every other one of the same browser has. */
export function rememberedPreferences(storage: Storage): Preferences {
  const values = read(storage);
  const preferences = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, signal(value)]));
  effect(() => write(storage, preferences));
  window.addEventListener("storage", ({ key }) => {
    if (key === NAME) take(preferences, read(storage));
  });
  return preferences as unknown as Preferences;
}

/** Takes over what another window has written; without it the next change here would undo that. */
function take(preferences: Readonly<Record<string, Signal<unknown>>>, values: Values): void {
  batch(() => {
    for (const [name, value] of Object.entries(values)) if (preferences[name]) preferences[name].value = value;
  });
}

function read(storage: Storage): Values {
  const known = stored(storage);
  return {
    opacity: typeof known.opacity === "number" ? known.opacity : 0.3,
    outlined: known.outlined !== false,
    smooth: known.smooth !== false,
    planes: known.planes === true,
    brushMm: typeof known.brushMm === "number" ? known.brushMm : 5,
    range: isRange(known.range) ? known.range : { low: 0, high: 200 },
    singleKeys: known.singleKeys !== false,
    keys: bindingsFrom(known.keys),
  };
}

function isRange(value: unknown): value is Range {
  const { low, high } = (value ?? {}) as Partial<Range>;
  return typeof low === "number" && typeof high === "number";
}

function stored(storage: Storage): Record<string, unknown> {
  try {
    return (JSON.parse(storage.getItem(NAME) ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function write(storage: Storage, preferences: Readonly<Record<string, Signal<unknown>>>): void {
  const values = Object.entries(preferences).map(([name, { value }]) => [name, value]);
  try {
    storage.setItem(NAME, JSON.stringify(Object.fromEntries(values)));
  } catch {
    // A browser that forbids storage forgets preferences, nothing worse.
  }
}
