/** Places whose newest stored interaction has led to no saved mask yet. */
import { signal } from "@preact/signals-core";
import { keyOf, type Place, type PlaceKey } from "./place";

export class Unsaved {
  private readonly sequences = signal<ReadonlyMap<PlaceKey, number>>(new Map());

  get isEmpty(): boolean {
    return this.sequences.value.size === 0;
  }

  add(place: Place, sequence: number): void {
    this.sequences.value = new Map(this.sequences.value).set(keyOf(place), sequence);
  }

  /** The mask of `sequence` is saved; where a newer interaction waits for its own, the place stays unsaved. */
  saved(place: Place, sequence: number): void {
    const key = keyOf(place);
    const awaited = this.sequences.value.get(key);
    if (awaited === undefined || awaited > sequence) return;
    const rest = new Map(this.sequences.value);
    rest.delete(key);
    this.sequences.value = rest;
  }

  clear(): void {
    this.sequences.value = new Map();
  }
}
