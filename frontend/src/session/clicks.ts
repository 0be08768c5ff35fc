/** Click lists: what the server stored, and what the person sees before the server has answered. */
import type { ClientMessage, PlacedClick, PreviewClick, SliceClicks } from "../protocol/messages";
import { keyOf, type Place, type PlaceKey, samePlace } from "./place";

/** What is stored as one step of the log, and undone as one. */
export type Interaction = Extract<ClientMessage, { readonly sequence: number }>;
export type ClickLists = ReadonlyMap<PlaceKey, SliceClicks>;

/** A click that is held down: a new one, or a stored one that is dragged. */
export interface HeldClick extends Place {
  readonly click: number | undefined;
  readonly y: number;
  readonly x: number;
  readonly positive: boolean;
  /** Whether it only shows what a click would do, and is never placed. */
  readonly peeked?: true;
}

/** The id that a click has while it is held and not yet numbered. */
export const HELD_ID = -1;
const NONE: readonly PlacedClick[] = [];

export function clickLists(lists: readonly SliceClicks[]): ClickLists {
  return new Map(lists.map((list) => [keyOf(list), list]));
}

export const clicksAt = (lists: ClickLists, place: Place): readonly PlacedClick[] =>
  lists.get(keyOf(place))?.clicks ?? NONE;

/** The painted mask that the clicks of a place go on from, by its number; 0 is none. */
export const baseAt = (lists: ClickLists, place: Place): number => lists.get(keyOf(place))?.base ?? 0;

/** Whether a place's mask was propagated and no person has clicked or painted there. */
export const isUnconfirmed = (lists: ClickLists, place: Place): boolean =>
  lists.get(keyOf(place))?.unconfirmed ?? false;

/** The interaction that a place's mask comes from. */
export const sinceAt = (lists: ClickLists, place: Place): number => lists.get(keyOf(place))?.since ?? 0;

export function placeOfClick(lists: ClickLists, id: number): Place | undefined {
  return [...lists.values()].find((list) => list.clicks.some((click) => click.id === id));
}

export function withList(lists: ClickLists, list: SliceClicks): ClickLists {
  return new Map(lists).set(keyOf(list), list);
}

/** The lists once `pending` is stored. Undo, redo and propagation change nothing here: only the server knows what they lead to. */
export function afterwards(lists: ClickLists, pending: readonly Interaction[]): ClickLists {
  return pending.reduce(after, lists);
}

function after(lists: ClickLists, interaction: Interaction): ClickLists {
  switch (interaction.type) {
    case "add_click": {
      const { sequence: id, y, x, positive } = interaction;
      const others = clicksAt(lists, interaction).filter((click) => click.id !== id);
      return edit(lists, interaction, id, () => [...others, { id, y, x, positive }]);
    }
    case "move_click": {
      const { sequence, click: id, y, x } = interaction;
      return edit(lists, placeOfClick(lists, id), sequence, (clicks) =>
        clicks.map((c) => (c.id === id ? { ...c, y, x } : c)),
      );
    }
    case "delete_click":
      return edit(lists, placeOfClick(lists, interaction.click), interaction.sequence, (clicks) =>
        clicks.filter((c) => c.id !== interaction.click),
      );
    case "paint":
      return withList(lists, {
        ...placed(interaction),
        base: interaction.sequence,
        since: interaction.sequence,
        unconfirmed: false,
        clicks: [],
      });
    case "propagate":
    case "undo":
    case "redo":
      return lists;
  }
}

type Edit = (clicks: readonly PlacedClick[]) => readonly PlacedClick[];

function edit(lists: ClickLists, place: Place | undefined, since: number, change: Edit): ClickLists {
  if (!place) return lists;
  return withList(lists, {
    ...placed(place),
    base: baseAt(lists, place),
    since,
    unconfirmed: false,
    clicks: change(clicksAt(lists, place)),
  });
}

const placed = ({ label, z }: Place): Place => ({ label, z });

/** The clicks of a place as they are on screen while one of them is held. */
export function withHeld(
  clicks: readonly PlacedClick[],
  place: Place,
  held: HeldClick | undefined,
): readonly PlacedClick[] {
  if (!held || !samePlace(place, held)) return clicks;
  const { y, x, positive } = held;
  if (held.click === undefined) return [...clicks, { id: HELD_ID, y, x, positive }];
  return clicks.map((click) => (click.id === held.click ? { ...click, y, x } : click));
}

export const toPreview = (clicks: readonly PlacedClick[]): PreviewClick[] =>
  clicks.map(({ y, x, positive }) => ({ y, x, positive }));

export function sameClicks(a: readonly PreviewClick[], b: readonly PreviewClick[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((click, i) => click.y === b[i]?.y && click.x === b[i]?.x && click.positive === b[i]?.positive);
}
