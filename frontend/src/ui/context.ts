/** What every panel works with. */
import type { ComponentChildren } from "preact";
import type { Desk } from "../desk/desk";
import type { Pane } from "../desk/panes";
import type { Viewer } from "../viewer/viewer";
import { places } from "../words";

export interface Work {
  readonly desk: Desk;
  readonly viewer: Viewer;
  /** The planes beside the slice. */
  readonly panes: readonly Pane[];
}

/** What a control does, and by which key. */
export const tip = (text: string, keys: string): string => `${text} (${keys})`;

/** A text with elements in its places. */
export const filled = (text: string, parts: Readonly<Record<string, ComponentChildren>>): ComponentChildren[] =>
  places(text).map((part, i) => (i % 2 ? parts[part] : part));
