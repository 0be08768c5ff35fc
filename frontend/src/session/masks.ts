/**
 * Which mask is on screen. Three stand above one another for each place:
 *
 *   live       the newest preview of the click that is held right now
 *   committed  the last preview of a click that was released, until the answer to the stored click replaces it
 *   kept       the newest answer to a stored interaction, from the socket or from the database
 *
 * So an answer that comes late can replace what lies below, never paint over what is newer.
 */
import { batch, type Signal, signal } from "@preact/signals-core";
import type { Mask } from "../protocol/mask";
import { keyOf, type Place, type PlaceKey } from "./place";

interface Numbered<M = Mask> {
  readonly mask: M;
  readonly number: number;
}

interface Shelf {
  readonly live?: Mask | undefined;
  readonly committed?: Numbered<Mask | undefined> | undefined;
  readonly kept?: Numbered | undefined;
  /** The newest interaction that is stored for this place: answers to older ones are about another click list. */
  readonly stored: number;
}

const EMPTY: Shelf = { stored: 0 };

export class Masks {
  /** The mask to show for each place; a new map at every change. */
  readonly shown = signal<ReadonlyMap<PlaceKey, Mask>>(new Map());
  private readonly slices = new Map<number, Signal<ReadonlyMap<number, Mask>>>();
  private readonly shelves = new Map<PlaceKey, Shelf>();

  at(place: Place): Mask | undefined {
    return this.shown.value.get(keyOf(place));
  }

  /** The masks of a slice by label. Whoever reads this is not disturbed by what happens on other slices. */
  onSlice(z: number): ReadonlyMap<number, Mask> {
    return this.slice(z).value;
  }

  /** Takes the answer to interaction `number`; false where its click list is no longer the stored one. */
  keep(place: Place, number: number, mask: Mask): boolean {
    const shelf = this.shelf(place);
    if (number < shelf.stored || number < (shelf.kept?.number ?? 0)) return false;
    const committed = shelf.committed && number < shelf.committed.number ? shelf.committed : undefined;
    this.put(place, { ...shelf, kept: { mask, number }, committed });
    return true;
  }

  /** Many at once, for the masks of a whole case. */
  keepAll(frames: readonly (Place & Numbered)[]): void {
    for (const frame of frames) this.keep(frame, frame.number, frame.mask);
  }

  keptNumber(place: Place): number {
    return this.shelf(place).kept?.number ?? 0;
  }

  showLive(place: Place, mask: Mask): void {
    this.put(place, { ...this.shelf(place), live: mask });
  }

  dropLive(place: Place): void {
    this.put(place, { ...this.shelf(place), live: undefined });
  }

  /** The click was released as interaction `number`. */
  commitLive(place: Place, number: number): void {
    const { live, ...shelf } = this.shelf(place);
    this.put(place, { ...shelf, committed: { mask: live ?? shelf.committed?.mask, number } });
  }

  /** What the person painted as interaction `number`. */
  commit(place: Place, mask: Mask, number: number): void {
    const { live: _, ...shelf } = this.shelf(place);
    this.put(place, { ...shelf, committed: { mask, number } });
  }

  /** A preview that was answered after the release, with the very clicks that were released. */
  showCommitted(place: Place, mask: Mask): boolean {
    const shelf = this.shelf(place);
    if (!shelf.committed) return false;
    this.put(place, { ...shelf, committed: { mask, number: shelf.committed.number } });
    return true;
  }

  /** Back to the last mask that the server stands for: the interaction was refused, or undone. */
  dropCommitted(place: Place): void {
    this.put(place, { ...this.shelf(place), committed: undefined });
  }

  markStored(place: Place, sequence: number): void {
    const shelf = this.shelf(place);
    this.shelves.set(keyOf(place), { ...shelf, stored: Math.max(shelf.stored, sequence) });
  }

  private shelf(place: Place): Shelf {
    return this.shelves.get(keyOf(place)) ?? EMPTY;
  }

  private slice(z: number): Signal<ReadonlyMap<number, Mask>> {
    const slice = this.slices.get(z) ?? signal(new Map());
    this.slices.set(z, slice);
    return slice;
  }

  private put(place: Place, shelf: Shelf): void {
    const key = keyOf(place);
    this.shelves.set(key, shelf);
    const mask = shelf.live ?? shelf.committed?.mask ?? shelf.kept?.mask;
    if (mask === this.shown.peek().get(key)) return;
    const slice = this.slice(place.z);
    batch(() => {
      this.shown.value = withMask(this.shown.peek(), key, mask);
      slice.value = withMask(slice.peek(), place.label, mask);
    });
  }
}

function withMask<K>(masks: ReadonlyMap<K, Mask>, key: K, mask: Mask | undefined): ReadonlyMap<K, Mask> {
  const changed = new Map(masks);
  if (mask) changed.set(key, mask);
  else changed.delete(key);
  return changed;
}
