/**
 * What waits here was made on another state of the case than there is by now: another window has worked on it meanwhile.
 * Nothing is sent until the person has chosen, and what the other window did is on screen.
 */
import type { Mask } from "../protocol/mask";
import { maskFromText } from "../protocol/mask";
import { afterwards, type ClickLists, type Interaction } from "./clicks";
import { keyOf, type Place, type PlaceKey } from "./place";
import { gettext } from "../words";

export interface Conflict {
  /** How many interactions wait. */
  readonly changes: number;
  /** Where they would change something. */
  readonly places: readonly Place[];
  /** The masks that the person saw there; of a click whose answer never came there is none. */
  readonly masks: ReadonlyMap<PlaceKey, Mask>;
  /** The clicks that wait, by the number that each had here, which by now may be another window's click. */
  readonly clicks: ClickLists;
}

/** `placeOf` says where an interaction acts, `seen` is what was on screen after the newest one of a place. */
export function conflictOf(
  entries: readonly Interaction[],
  placeOf: (entry: Interaction) => Place | undefined,
  seen: ReadonlyMap<PlaceKey, Mask>,
): Conflict {
  const places = new Map<PlaceKey, Place>();
  const masks = new Map<PlaceKey, Mask>();
  for (const entry of entries) {
    const place = placeOf(entry);
    if (!place) continue;
    const key = keyOf(place);
    places.set(key, { label: place.label, z: place.z });
    const mask = entry.type === "paint" ? maskFromText(entry.mask) : seen.get(key);
    if (mask) masks.set(key, mask);
  }
  return { changes: entries.length, places: [...places.values()], masks, clicks: afterwards(new Map(), entries) };
}

/** "slice 3", "slices 3, 4 and 9", counted from 1. */
export function slicesNamed(places: readonly Place[]): string {
  const numbers = [...new Set(places.map(({ z }) => z + 1))].sort((a, b) => a - b);
  const last = numbers.pop() ?? 0;
  return numbers.length
    ? gettext("slices %(first)s and %(last)s", { first: numbers.join(", "), last })
    : gettext("slice %(z)s", { z: last });
}
