/** What every panel works with. */
import type { Desk } from "../desk/desk";
import type { Pane } from "../desk/panes";
import type { Viewer } from "../viewer/viewer";

export interface Work {
  readonly desk: Desk;
  readonly viewer: Viewer;
  /** The planes beside the slice. */
  readonly panes: readonly Pane[];
}
