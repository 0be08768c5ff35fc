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

  /** The number that the next interaction gets; `lastStored` is the newest known to be in the server's log. */
  next(lastStored: number): number {
    return Math.max(this.entries.value.at(-1)?.sequence ?? 0, lastStored) + 1;
  }

  add(interaction: Unnumbered, lastStored: number): Interaction {
    const numbered = { ...interaction, sequence: this.next(lastStored) } as Interaction;
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

  /** Drops a refused interaction and whatever was to follow from it: moves of its click, and its undo. */
  refuse(sequence: number): Interaction | undefined {
    const index = this.entries.value.findIndex((entry) => entry.sequence === sequence);
    const refused = this.entries.value[index];
    if (!refused) return undefined;
    const wasFirst = refused === this.first;
    const depends = (entry: Interaction) =>
      refused.type === "add_click" && "click" in entry && entry.click === sequence;
    const [before, later] = [this.entries.value.slice(0, index), this.entries.value.slice(index + 1)];
    const rest = withoutUndo(later.filter((entry) => !depends(entry)));
    this.set([...before, ...rest], wasFirst ? false : this.firstSent);
    return refused;
  }

  /** Numbers everything from `first` on, which must not have been sent. */
  renumber(first: number): Renumbering {
    const numbers = numbersFrom(this.entries.value, first);
    if (this.first && this.first.sequence !== first) this.set(renumbered(this.entries.value, numbers), this.firstSent);
    return numbers;
  }

  /** Lets everything follow on a log that others have written on; what would now undo their work is left out. */
  rebase(first: number): Renumbering {
    const entries = standingAlone(this.entries.value);
    const numbers = numbersFrom(entries, first);
    this.set(renumbered(entries, numbers), false);
    return numbers;
  }

  clear(): void {
    this.set([], false);
  }

  private set(entries: readonly Interaction[], firstSent: boolean): void {
    this.firstSent = firstSent && entries.length > 0;
    this.entries.value = entries;
    this.mirror.save({ entries, firstSent: this.firstSent });
  }
}

/** What follows on a step that was refused, without the undo of that step, which would now take back an older one. */
function withoutUndo(later: readonly Interaction[]): Interaction[] {
  let stepsSince = 0;
  for (const [i, entry] of later.entries()) {
    if (entry.type !== "undo") stepsSince += entry.type === "redo" ? entry.steps : 1;
    else if (entry.steps <= stepsSince) stepsSince -= entry.steps;
    else {
      const shorter = entry.steps > 1 ? [{ ...entry, steps: entry.steps - 1 }] : [];
      return [...later.slice(0, i), ...shorter, ...later.slice(i + 1)];
    }
  }
  return [...later];
}

/** The entries without the undo and redo of steps that are not among them. */
function standingAlone(entries: readonly Interaction[]): Interaction[] {
  let [done, undone] = [0, 0];
  return entries.flatMap((entry): readonly Interaction[] => {
    if (entry.type === "undo" || entry.type === "redo") {
      const steps = Math.min(entry.steps, entry.type === "undo" ? done : undone);
      [done, undone] = entry.type === "undo" ? [done - steps, undone + steps] : [done + steps, undone - steps];
      return steps > 0 ? [{ ...entry, steps }] : [];
    }
    [done, undone] = [done + 1, 0];
    return [entry];
  });
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

/** The entries under their new numbers, and with them what refers to these: clicks that are placed, masks that are painted over. */
function renumbered(entries: readonly Interaction[], numbers: Renumbering): Interaction[] {
  const follow = (id: number) => numbers.get(id) ?? id;
  return entries.map((entry) => ({
    ...entry,
    sequence: follow(entry.sequence),
    ...("click" in entry ? { click: follow(entry.click) } : {}),
    ...("since" in entry ? { since: follow(entry.since) } : {}),
  }));
}
