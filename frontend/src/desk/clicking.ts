/** Connects pointer, desk and viewer: which click is near, which voxel is under the pointer. */
import type { PlacedClick } from "../protocol/messages";
import { type CanvasPoint, distance, voxel } from "../viewer/geometry";
import type { PointerActions } from "../viewer/pointer";
import type { Viewer } from "../viewer/viewer";
import { type Desk, isPaintTool } from "./desk";

/** CSS pixels within which a press grabs a click rather than placing one. */
const GRAB_RADIUS = 8;

export function pointerActions(desk: Desk, viewer: Viewer): PointerActions {
  const near = (at: CanvasPoint) => clickNear(desk.clicks.value, viewer, at);
  const point = (at: CanvasPoint | undefined) => {
    desk.pointed.value = at && viewer.voxelAt(at);
    desk.pointedAt.value = at && viewer.imageAt(at);
  };
  return {
    tool: () => {
      if (desk.comments.isPlacing.value) return "navigate";
      return isPaintTool(desk.tool.value) ? "paint" : desk.tool.value;
    },
    press(at, background) {
      desk.cutThrough(viewer.voxelAt(at));
      if (desk.comments.isPlacing.value) return desk.pin(viewer.voxelAt(at));
      if (desk.tool.value === "ruler") return desk.startRuler(viewer.imageAt(at));
      if (isPaintTool(desk.tool.value)) return desk.beginStroke(viewer.imageAt(at), background);
      const under = viewer.voxelAt(at);
      desk.withdrawPeek();
      if (under) desk.press(under, near(at), background || desk.placesBackground.value);
    },
    drag(at) {
      point(at);
      if (desk.tool.value === "ruler") return desk.stretchRuler(viewer.imageAt(at));
      if (desk.painting.stroke.value) return desk.painting.extend(viewer.imageAt(at));
      const { x, y } = viewer.nearestVoxel(at);
      desk.session.drag(y, x);
    },
    release() {
      if (desk.tool.value === "ruler") desk.endRuler();
      else if (desk.painting.stroke.value) desk.painting.end();
      else desk.session.release();
    },
    cancel() {
      desk.painting.cancel();
      desk.session.cancelHold();
    },
    remove: (at) => {
      const click = near(at);
      if (click) desk.deleteClick(click.id);
    },
    hover(at, shift) {
      point(at);
      if (shift) desk.cutThrough(desk.pointed.value);
      if (desk.peeking.value) desk.peek(desk.pointed.value);
      else desk.hovered.value = at && near(at)?.id;
    },
    changeWindow: (dx, dy) => desk.changeWindow(dx, dy),
    pan: (dx, dy) => viewer.pan(dx, dy),
    zoom: (factor, at) => viewer.zoom(factor, at),
    scroll: (slices) => desk.goTo(desk.z.value + slices),
  };
}

function clickNear(clicks: readonly PlacedClick[], viewer: Viewer, at: CanvasPoint): PlacedClick | undefined {
  const far = (click: PlacedClick) => distance(viewer.toCanvas(voxel(click.x, click.y)), at);
  return clicks.filter((click) => far(click) <= GRAB_RADIUS).sort((a, b) => far(a) - far(b))[0];
}
