/**
 * Interactions that the server has not acknowledged, oldest first. Only the first is ever on its way: the number of an
 * interaction is settled when it is sent, so a number that another window took, or a refusal, can still renumber the
 * rest, and an undo can never overtake the click it is to undo.
 */
import { signal } from "@preact/signals-core";
import type { Interaction } from "./clicks";

export interface OutboxContent {
  readonly entries: readonly Interaction[];
  /** Whether the first entry may have reached the server. */
  readonly firstSent: boolean;
}

export interface OutboxMirror {
  load(): OutboxContent;
  save(content: OutboxContent): void;
}

/** An interaction before it has its number. `Omit` over a union must be spread over its members. */
export type Unnumbered = Interaction extends infer I ? (I extends Interaction ? Omit<I, "sequence"> : never) : never;

/** Old to new numbers. */
export type Renumbering = ReadonlyMap<number, number>;

export class Outbox {
  readonly entries = signal<readonly Interaction[]>([]);
  private firstSent = false;
  private readonly mirror: OutboxMirror;

  constructor(mirror: OutboxMirror) {
    this.mirror = mirror;
    const kept = mirror.load();
    this.entries.value = kept.entries;
    this.firstSent = kept.firstSent && kept.entries.length > 0;
  }

  get first(): Interaction | undefined {
    return this.entries.value[0];
  }

  get isFirstSent(): boolean {
    return this.firstSent;
  }

  has(sequence: number): boolean {
    return this.entries.value.some((entry) => entry.sequence === sequence);
  }

  /** Takes an interaction in; `lastStored` is the newest number known to be in the server's log. */
  add(interaction: Unnumbered, lastStored: number): Interaction {
    const last = this.entries.value.at(-1)?.sequence ?? 0;
    const numbered = { ...interaction, sequence: Math.max(last, lastStored) + 1 } as Interaction;
    this.set([...this.entries.value, numbered], this.firstSent);
    return numbered;
  }

  markFirstSent(): void {
    this.set(this.entries.value, true);
  }

  /** The first entry has been refused under its number but may be sent under another one. */
  markFirstUnsent(): void {
    this.set(this.entries.value, false);
  }

  acknowledge(sequence: number): Interaction | undefined {
    if (this.first?.sequence !== sequence) return undefined;
    const [first, ...rest] = this.entries.value;
    this.set(rest, false);
    return first;
  }

  /** Drops a refused interaction and, where it was to place a click, whatever would have moved or deleted that click. */
  refuse(sequence: number): Interaction | undefined {
    const refused = this.entries.value.find((entry) => entry.sequence === sequence);
    if (!refused) return undefined;
    const wasFirst = refused === this.first;
    const depends = (entry: Interaction) =>
      refused.type === "add_click" && "click" in entry && entry.click === sequence;
    const rest = this.entries.value.filter((entry) => entry !== refused && !depends(entry));
    this.set(rest, wasFirst ? false : this.firstSent);
    return refused;
  }

  /** Numbers everything from `first` on, which must not have been sent. */
  renumber(first: number): Renumbering {
    const numbers = numbersFrom(this.entries.value, first);
    if (this.first && this.first.sequence !== first) this.set(renumbered(this.entries.value, numbers), this.firstSent);
    return numbers;
  }

  private set(entries: readonly Interaction[], firstSent: boolean): void {
    this.firstSent = firstSent && entries.length > 0;
    this.entries.value = entries;
    this.mirror.save({ entries, firstSent: this.firstSent });
  }
}

/** Two outboxes as one; the second follows the first, whatever its numbers were. */
export function joined(a: OutboxContent, b: OutboxContent): OutboxContent {
  const last = a.entries.at(-1)?.sequence;
  if (last === undefined || b.entries.length === 0) return last === undefined ? b : a;
  return {
    entries: [...a.entries, ...renumbered(b.entries, numbersFrom(b.entries, last + 1))],
    firstSent: a.firstSent,
  };
}

const numbersFrom = (entries: readonly Interaction[], first: number): Renumbering =>
  new Map(entries.map((entry, i) => [entry.sequence, first + i]));

/** The entries under their new numbers, and with them the references to clicks that they place. */
function renumbered(entries: readonly Interaction[], numbers: Renumbering): Interaction[] {
  const follow = (id: number) => numbers.get(id) ?? id;
  return entries.map((entry) => ({
    ...entry,
    sequence: follow(entry.sequence),
    ...("click" in entry ? { click: follow(entry.click) } : {}),
  }));
}
