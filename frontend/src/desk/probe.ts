/** `window.annotator`: what tests in a real browser read and aim with. It can look, not act. */
import { toPixels } from "../protocol/mask";
import type { Answer } from "../session/timing";
import { voxel } from "../viewer/geometry";
import type { LabelMask } from "../viewer/layers";
import type { PlaneName } from "../viewer/planes";
import type { Viewer } from "../viewer/viewer";
import type { Desk } from "./desk";
import type { Pane } from "./panes";

interface Painting {
  readonly sequence: number;
  readonly at: number;
  readonly z: number;
  readonly labels: readonly number[];
  readonly answer: Answer | undefined;
}

const REMEMBERED = 2000;

export class Probe {
  /** Increments whenever a mask is painted that was not on screen, or one disappears. */
  maskSequence = 0;
  readonly paintedAt: Painting[] = [];
  private painted: readonly LabelMask[] = [];
  private desk: Desk | undefined;
  private viewer: Viewer | undefined;
  private panes: readonly Pane[] = [];
  /** The masks of the planes beside the slice as they were last painted. */
  readonly planes = new Map<PlaneName, readonly LabelMask[]>();

  watch({ desk, viewer, panes }: { desk: Desk; viewer: Viewer; panes: readonly Pane[] }): void {
    [this.desk, this.viewer, this.panes] = [desk, viewer, panes];
  }

  /** Called by the viewer when the mask canvas has been drawn with other masks than before. */
  readonly onPainted = (masks: readonly LabelMask[]): void => {
    this.painted = masks;
    this.maskSequence += 1;
    this.paintedAt.push({
      sequence: this.maskSequence,
      at: performance.now(),
      z: this.desk?.z.value ?? 0,
      labels: masks.map(({ label }) => label),
      answer: this.desk?.session.timing.lastAnswer.value,
    });
    if (this.paintedAt.length > REMEMBERED) this.paintedAt.shift();
  };

  /** Client coordinates of the centre of column x, row y on the current slice. */
  toClient(x: number, y: number): { x: number; y: number } | undefined {
    return this.viewer?.toClient(voxel(x, y));
  }

  /** The mask of a label as it was last painted: one byte per voxel, row-major. */
  readMask(label: number) {
    const found = this.painted.find((mask) => mask.label === label);
    const { columns: width, rows: height } = this.desk?.grid ?? { columns: 0, rows: 0 };
    const data = found ? toPixels(found.mask) : new Uint8Array(height * width);
    return { z: this.desk?.z.value ?? 0, height, width, data };
  }

  /** Client coordinates of the centre of a voxel of a plane beside the slice. */
  toClientIn(plane: PlaneName, x: number, y: number): { x: number; y: number } | undefined {
    return this.panes.find((pane) => pane.plane.name === plane)?.viewer.toClient(voxel(x, y));
  }

  /** What a plane shows of a label: one byte per voxel, row-major, the highest slice first. */
  readPlane(plane: PlaneName, label: number) {
    const found = this.planes.get(plane)?.find((mask) => mask.label === label);
    return found && { height: found.mask.height, width: found.mask.width, data: toPixels(found.mask) };
  }

  state() {
    if (!this.desk) return undefined;
    const { z, label, session, clicks, slice } = this.desk;
    return {
      z: z.value,
      label: label.value.id,
      connection: session.connection.value,
      inference: session.inference.value,
      saved: session.saving.value,
      waiting: session.waiting.value.length,
      clicks: clicks.value,
      sliceLoaded: slice.value !== undefined,
      point: this.desk.point.value,
      awaited: this.desk.awaited,
      replayed: this.desk.history.replayed.value?.sequence,
      lastAnswer: session.timing.lastAnswer.value,
      masksPerSecond: session.timing.rate.value,
    };
  }
}

declare global {
  interface Window {
    annotator?: Probe;
  }
}
