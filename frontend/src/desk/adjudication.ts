/** Two readings of a case, from which its adjudicator makes the ground truth, mask by mask. */
import { computed, type ReadonlySignal } from "@preact/signals-core";
import { difference, dice, intersection, sameMask, union } from "../paint/combine";
import { emptyMask, type Mask, maskFromText } from "../protocol/mask";
import { type ClickLists, clicksAt, baseAt } from "../session/clicks";
import { keyOf, type Place, type PlaceKey, placeOf } from "../session/place";
import type { Session } from "../session/session";
import type { Grid } from "../viewer/geometry";
import type { Guide } from "../viewer/guides";

/** What becomes of a mask: one of the readings, what either has, or what both have. */
export type Choice = "first" | "second" | "union" | "intersection";

/** As `annotator/annotation/adjudication.py` has it: each mask with its label and slice. */
export interface Reading {
  readonly person: string;
  readonly masks: readonly (readonly [label: number, z: number, mask: string])[];
}

/** A slice on which the readings of a label differ. */
export interface Difference {
  readonly z: number;
  readonly dice: number;
}

export const COLOURS = { first: "#7cc0ff", second: "#ffb454", difference: "#ff6ad5" } as const;

export class Adjudication {
  /** Whose readings they are. */
  readonly people: readonly [string, string];
  /** Of each label that has any, the worst first. They never change. */
  private readonly differences = new Map<number, readonly Difference[]>();
  /** The places on which nobody has decided yet. */
  readonly undecided: ReadonlySignal<ReadonlySet<PlaceKey>>;
  private readonly readings: readonly [ReadonlyMap<PlaceKey, Mask>, ReadonlyMap<PlaceKey, Mask>];
  private readonly nothing: Mask;
  private readonly guides = new Map<PlaceKey, readonly Guide[]>();

  constructor([first, second]: readonly [Reading, Reading], session: Pick<Session, "clicks">, grid: Grid) {
    this.people = [first.person, second.person];
    this.nothing = emptyMask(grid.rows, grid.columns);
    this.readings = [masksOf(first), masksOf(second)];
    const places = [...new Set([...this.readings[0].keys(), ...this.readings[1].keys()])];
    const differing = places.filter((key) => !sameMask(...this.pairAt(key)));
    for (const key of differing) this.add(placeOf(key), dice(...this.pairAt(key)));
    this.undecided = computed(() => {
      const lists = session.clicks.value;
      return new Set(differing.filter((key) => !isDecided(lists, placeOf(key))));
    });
  }

  /** Slices on which the readings of a label differ, the worst first. */
  of(label: number): readonly Difference[] {
    return this.differences.get(label) ?? [];
  }

  isUndecided(place: Place): boolean {
    return this.undecided.value.has(keyOf(place));
  }

  /** The slices of a label that wait for a decision. */
  undecidedOf(label: number): readonly number[] {
    return this.of(label).flatMap(({ z }) => (this.isUndecided({ label, z }) ? [z] : []));
  }

  /** The worst place that waits: of this label, after the slice in view where that one waits itself, else of another label. */
  next({ label, z }: Place): Place | undefined {
    const labels = [label, ...[...this.differences.keys()].filter((other) => other !== label)];
    for (const one of labels) {
      const slices = this.undecidedOf(one);
      const found = one === label ? slices[(slices.indexOf(z) + 1) % slices.length] : slices[0];
      if (found !== undefined) return { label: one, z: found };
    }
    return undefined;
  }

  maskOf(choice: Choice, place: Place): Mask {
    const [first, second] = this.pairAt(keyOf(place));
    if (choice === "union") return union(first, second);
    if (choice === "intersection") return intersection(first, second);
    return choice === "first" ? first : second;
  }

  /** What is drawn of both readings at a place: the voxels that only one has, and both outlines. */
  guidesAt(place: Place): readonly Guide[] {
    const key = keyOf(place);
    const guides = this.guides.get(key) ?? this.draw(...this.pairAt(key));
    this.guides.set(key, guides);
    return guides;
  }

  private draw(first: Mask, second: Mask): readonly Guide[] {
    return [
      { mask: difference(first, second), colour: COLOURS.difference, style: "fill" },
      { mask: first, colour: COLOURS.first, style: "line" },
      { mask: second, colour: COLOURS.second, style: "dashes" },
    ];
  }

  private add({ label, z }: Place, dice: number): void {
    const all = [...this.of(label), { z, dice }];
    this.differences.set(
      label,
      all.sort((a, b) => a.dice - b.dice || a.z - b.z),
    );
  }

  private pairAt(key: PlaceKey): [Mask, Mask] {
    const [first, second] = this.readings.map((masks) => masks.get(key) ?? this.nothing);
    return [first as Mask, second as Mask];
  }
}

const masksOf = ({ masks }: Reading): ReadonlyMap<PlaceKey, Mask> =>
  new Map(masks.map(([label, z, text]) => [keyOf({ label, z }), maskFromText(text)]));

/** Whatever was done there counts, and that there is no mask as well. */
const isDecided = (lists: ClickLists, place: Place): boolean =>
  baseAt(lists, place) > 0 || clicksAt(lists, place).length > 0;
