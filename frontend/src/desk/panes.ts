/** Connects the planes beside the slice with the desk: what they show, and where a press, the wheel and the keys lead. */
import { effect } from "@preact/signals-core";
import { type CanvasPoint, clampVoxel } from "../viewer/geometry";
import type { ViewState } from "../viewer/layers";
import { type Plane, PlaneImage, PlaneMasks } from "../viewer/planes";
import type { PointerActions } from "../viewer/pointer";
import type { Viewer } from "../viewer/viewer";
import type { Desk } from "./desk";
import { WINDOW_AND_ZOOM } from "./commands";
import { commandFor } from "./keys";
import { gettext } from "../words";

export interface Pane {
  readonly plane: Plane;
  readonly viewer: Viewer;
}

/** The network was trained on axial slices, so clicks stay there: whoever presses here navigates. */
export function paneActions(desk: Desk, { plane, viewer }: Pane): PointerActions {
  const go = (at: CanvasPoint) => desk.goToPoint(plane.toPoint(viewer.nearestVoxel(at), plane.cutAt(desk.cut.value)));
  const nothing = () => {};
  return {
    tool: () => "navigate",
    press: go,
    drag: go,
    release: nothing,
    cancel: nothing,
    remove: nothing,
    hover: nothing,
    changeWindow: (dx, dy) => desk.changeWindow(dx, dy),
    pan: (dx, dy) => viewer.pan(dx, dy),
    zoom: (factor, at) => viewer.zoom(factor, at),
    scroll: (cuts) => move(desk, plane, [0, 0, cuts]),
  };
}

/** To the right, towards the head, and from cut to cut. */
type Move = readonly [right: number, up: number, cuts: number];

function move(desk: Desk, plane: Plane, [right, up, cuts]: Move): void {
  const { x, y } = plane.toVoxel(desk.point.value);
  const to = clampVoxel(x + right, y - up, plane.grid);
  desk.goToPoint(plane.toPoint(to, plane.cutAt(desk.cut.value) + cuts));
}

const MOVES: Readonly<Record<string, Move>> = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  PageUp: [0, 0, 1],
  PageDown: [0, 0, -1],
};
const LEAP = 10;

/** Keys that mean this plane while it has the focus; all others mean what they mean in the slice. */
export function listenToPaneKeys(desk: Desk, { plane, viewer }: Pane): void {
  viewer.host.addEventListener("keydown", (event) => {
    const steps = event.ctrlKey || event.metaKey || event.altKey ? undefined : MOVES[event.key];
    const command = commandFor(event, desk.keys, desk.preferences.singleKeys.value);
    if (steps) {
      const [right, up, cuts] = steps.map((n) => n * (event.shiftKey ? LEAP : 1)) as unknown as Move;
      move(desk, plane, [right, up, cuts]);
      desk.announcement.value = `${gettext("Slice %(z)s", { z: desk.z.value + 1 })}, ${desk.readout(desk.cut.value)}`;
    } else if (command?.group === WINDOW_AND_ZOOM) command.run(desk, viewer);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/** Hands over what changes, after the frame that shows it in the slice: the planes never make the slice wait. */
export function connectPanes(desk: Desk, panes: readonly Pane[]): void {
  const { preferences, assignment } = desk;
  const labels = assignment.labels.map(({ id }) => id);
  const pictures = panes.map(({ plane, viewer }) => ({
    plane,
    image: new PlaneImage(plane),
    masks: new PlaneMasks(plane, labels),
    show(patch: Partial<ViewState>) {
      viewer.set(patch);
      viewer.draw();
    },
  }));
  const whileShown = (run: () => void) => effect(() => (preferences.planes.value ? effectAfterPaint(run) : undefined));
  whileShown(() => {
    const [table, smooth, sliceAt] = [desk.table.value, preferences.smooth.value, (z: number) => desk.sliceAt(z)];
    for (const { plane, image, show } of pictures)
      show({ slice: image.at(plane.cutAt(desk.cut.value), sliceAt, desk.overview.step), table, smooth });
  });
  whileShown(() => {
    const slices = desk.masksOfSlices();
    const [opacity, outlined] = [preferences.opacity.value, preferences.outlined.value];
    for (const { plane, masks, show } of pictures)
      show({ masks: masks.at(plane.cutAt(desk.cut.value), slices), opacity, outlined });
  });
  whileShown(() => {
    for (const { plane, show } of pictures) show({ cut: plane.toVoxel(desk.point.value) });
  });
  for (const { plane, viewer } of panes) effect(() => viewer.host.setAttribute("aria-label", described(desk, plane)));
}

function described(desk: Desk, plane: Plane): string {
  const at = { cut: plane.cutAt(desk.cut.value), cuts: plane.cuts };
  const place =
    plane.name === "coronal"
      ? gettext("Coronal plane at row %(cut)s of %(cuts)s.", at)
      : gettext("Sagittal plane at column %(cut)s of %(cuts)s.", at);
  return `${place} ${gettext("Arrow keys move the point, Page Up and Page Down the plane.")}`;
}

/**
 * An effect that looks at what has changed only after the next frame is painted, so at most once per frame. Returns its
 * end.
 */
export function effectAfterPaint(run: () => void): () => void {
  let stop = () => {};
  const watch = () => {
    let hasRun = false;
    stop = effect(() => {
      if (hasRun)
        return afterPaint(() => {
          stop();
          watch();
        });
      hasRun = true;
      run();
      return undefined;
    });
  };
  watch();
  return () => stop();
}

/** Returns how to call it off. */
function afterPaint(run: () => void): () => void {
  let task: ReturnType<typeof setTimeout>;
  const frame = requestAnimationFrame(() => {
    task = setTimeout(run);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(task);
  };
}
