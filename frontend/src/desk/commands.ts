/** Every command, and its keys until a person gives it others. Keyboard, tips and sheet of keys read this table. */
import type { Signal } from "@preact/signals-core";
import type { Viewer } from "../viewer/viewer";
import { PRESETS } from "../viewer/window";
import type { Desk } from "./desk";

type Run = (desk: Desk, viewer: Viewer) => void;

export interface Hint {
  readonly keys: readonly string[];
  readonly does: string;
}

export interface Command extends Hint {
  /** Never changes: by it a person's own keys are kept. */
  readonly id: string;
  readonly group: string;
  readonly run: Run;
  /** For a key that counts for as long as it is held. */
  readonly release: Run | undefined;
}

const STEP = 10;
const ZOOM_STEP = 1.25;
/** As many as a project may have. */
const LABEL_NUMBERS = Array.from({ length: 250 }, (_, i) => i + 1);

/** Up and down are slices, or rows while the crosshair is on. */
const vertical =
  (direction: 1 | -1, step: number): Run =>
  (desk, viewer) =>
    desk.crosshair.value ? steer(desk, viewer, 0, -direction * step) : desk.goTo(desk.z.value + direction * step);

const horizontal =
  (direction: 1 | -1, step: number): Run =>
  (desk, viewer) =>
    steer(desk, viewer, direction * step, 0);

function steer(desk: Desk, viewer: Viewer, dx: number, dy: number): void {
  desk.moveCrosshair(dx, dy);
  if (desk.crosshair.value) viewer.reveal(desk.crosshair.value);
}

function toggle(state: Signal<boolean>): void {
  state.value = !state.value;
}

/** A name that stays, keys separated by blanks (or none), what they do, and how. */
type Row = readonly [id: string, keys: string, does: string, run: Run, release?: Run];

const group = (name: string, rows: readonly Row[]): Command[] =>
  rows.map(([id, keys, does, run, release]) => ({
    group: name,
    id,
    keys: keys.split(" ").filter(Boolean),
    does,
    run,
    release,
  }));

/** The id of the command that chooses the label of this number, counted from 1. */
export const labelCommand = (number: number): string => `label-${number}`;

/** The number of the label that a command chooses; undefined where it does something else. */
export const labelNumber = ({ id }: Command): number | undefined => {
  const number = /^label-(\d+)$/.exec(id)?.[1];
  return number === undefined ? undefined : Number(number);
};

const SLICES = group("Slices", [
  ["next-slice", "ArrowUp .", "Next slice towards the head", vertical(1, 1)],
  ["previous-slice", "ArrowDown ,", "Next slice towards the feet", vertical(-1, 1)],
  ["ten-up", "PageUp", "Ten slices towards the head", (d) => d.goTo(d.z.value + STEP)],
  ["ten-down", "PageDown", "Ten slices towards the feet", (d) => d.goTo(d.z.value - STEP)],
  ["lowest", "Home", "Lowest slice", (d) => d.goTo(0)],
  ["highest", "End", "Highest slice", (d) => d.goTo(d.depth - 1)],
  ["next-mask", "N", "Next slice with a mask of this label", (d) => d.goToMask(1)],
  ["next-doubtful", "Shift+N", "Next slice that the model doubts", (d) => d.goToDoubtful()],
  ["previous-mask", "P", "Previous slice with a mask of this label", (d) => d.goToMask(-1)],
]);

const CLICKS = group("Clicks", [
  ["click", "V", "Click tool", (d) => d.chooseTool("click")],
  ["swap", "X", "Swap what a click places: foreground or background", (d) => toggle(d.placesBackground)],
  [
    "delete-click",
    "Delete Backspace",
    "Delete the click under the pointer, or the selected one",
    (d) => d.deleteClick(),
  ],
  ["peek", "Q", "Held: see the mask of a click before it is placed", (d) => d.startPeek(), (d) => d.endPeek()],
  ["undo", "Ctrl+Z", "Undo", (d) => d.undo()],
  ["redo", "Ctrl+Shift+Z Ctrl+Y", "Redo", (d) => d.redo()],
  ["replay", "R", "Replay how this mask was made", (d) => void d.history.replay(d.place.value)],
  ["cancel", "Escape", "Cancel a drag or a stroke, leave the crosshair", (d) => d.escape()],
]);

const PAINT = group("Brush and mask", [
  ["brush", "B", "Brush", (d) => d.chooseTool("brush")],
  ["eraser", "E", "Eraser", (d) => d.chooseTool("eraser")],
  ["lasso", "L", "Lasso", (d) => d.chooseTool("lasso")],
  ["threshold", "T", "Brush for a range of HU", (d) => d.chooseTool("threshold")],
  ["thinner", "[", "Thinner brush", (d) => d.painting.widen(-1)],
  ["thicker", "]", "Thicker brush", (d) => d.painting.widen(1)],
  ["fill", "J", "Fill holes", (d) => d.edit("fill")],
  ["largest", "K", "Keep the largest piece", (d) => d.edit("largest")],
  ["grow", "G", "Grow by 1 mm", (d) => d.edit("grow")],
  ["shrink", "S", "Shrink by 1 mm", (d) => d.edit("shrink")],
  ["copy-above", "U", "Copy the mask of the slice above", (d) => d.copyFrom(1)],
  ["copy-below", "D", "Copy the mask of the slice below", (d) => d.copyFrom(-1)],
  ["propagate-up", "Shift+U", "Propagate this mask upwards", (d) => void d.propagate([1])],
  ["propagate-down", "Shift+D", "Propagate this mask downwards", (d) => void d.propagate([-1])],
  ["propagate-both", "Shift+P", "Propagate this mask both ways; Escape stops", (d) => void d.propagate([1, -1])],
  ["fill-between", "Shift+F", "Fill between the confirmed slices above and below", (d) => void d.fillBetween()],
  ["accept", "Shift+A", "Accept a propagated mask and go to the next", (d) => d.accept()],
  ["clear", "Shift+Delete Shift+Backspace", "Clear this label on this slice", (d) => d.edit("clear")],
]);

const LABELS = group("Labels and masks", [
  ...LABEL_NUMBERS.map(
    (n): Row => [labelCommand(n), n <= 9 ? `${n}` : "", `Label ${n}`, (d) => d.selectLabel(d.assignment.labels[n - 1])],
  ),
  ["hide", "H", "Hide or show this label", (d) => d.toggleVisible(d.label.value)],
  ["lock", "Y", "Lock or unlock this label", (d) => d.toggleLock(d.label.value)],
  ["hide-all", "M", "Hide or show all masks", (d) => toggle(d.masksHidden)],
  ["outline", "O", "Outline on or off", (d) => toggle(d.preferences.outlined)],
]);

const DISPLAY = group("Window and zoom", [
  ["window", "W", "Window tool: drag changes width and level", (d) => d.toggleTool("window")],
  ["ruler", "Z", "Ruler", (d) => d.chooseTool("ruler")],
  ...PRESETS.map(
    (p, i): Row => [
      `preset-${i + 1}`,
      `Shift+${i + 1}`,
      `${p.name} ${p.width} / ${p.level}`.replace("-", "−"),
      (d) => d.applyPreset(i),
    ],
  ),
  ["auto-window", "A", "Window from this slice", (d) => d.applyAutoWindow()],
  ["zoom-in", "+ =", "Zoom in", (_, viewer) => viewer.zoom(ZOOM_STEP)],
  ["zoom-out", "-", "Zoom out", (_, viewer) => viewer.zoom(1 / ZOOM_STEP)],
  ["fit", "F 0", "Fit the slice", (_, viewer) => viewer.fit()],
  ["smooth", "I", "Smooth image or plain voxels", (d) => toggle(d.preferences.smooth)],
  ["planes", "Shift+V", "Coronal and sagittal plane on or off", (d) => toggle(d.preferences.planes)],
]);

const CROSSHAIR = group("Keyboard crosshair", [
  ["crosshair", "C", "Crosshair on or off; up and down move it too", (d) => d.toggleCrosshair()],
  ["left", "ArrowLeft", "One voxel left", horizontal(-1, 1)],
  ["right", "ArrowRight", "One voxel right", horizontal(1, 1)],
  ["ten-left", "Shift+ArrowLeft", "Ten voxels left", horizontal(-1, STEP)],
  ["ten-right", "Shift+ArrowRight", "Ten voxels right", horizontal(1, STEP)],
  ["ten-rows-up", "Shift+ArrowUp", "Ten voxels up", vertical(1, STEP)],
  ["ten-rows-down", "Shift+ArrowDown", "Ten voxels down", vertical(-1, STEP)],
  ["click-here", "Enter", "Click; on a click: pick up, put down", (d) => d.clickAtCrosshair(d.placesBackground.value)],
  ["click-background", "Shift+Enter", "Background click", (d) => d.clickAtCrosshair(true)],
]);

const READINGS = group("Two readings, in an adjudication", [
  ["take-first", "Shift+Q", "Take the first reading here", (d) => d.take("first")],
  ["take-second", "Shift+W", "Take the second reading here", (d) => d.take("second")],
  ["take-union", "Shift+X", "Take what either has here", (d) => d.take("union")],
  ["take-intersection", "Shift+R", "Take what both have here", (d) => d.take("intersection")],
  ["rest-first", "Shift+G", "Take the first reading wherever this label is undecided", (d) => d.takeRest("first")],
  ["rest-second", "Shift+H", "Take the second reading wherever this label is undecided", (d) => d.takeRest("second")],
  ["next-undecided", "Shift+J", "Next difference that is undecided, the worst first", (d) => d.goToUndecided()],
]);

const CASE = group("Case", [
  ["submit", "Ctrl+Enter", "Submit the case; in review: accept it", (d) => d.progress.finish()],
  ["return", "Ctrl+Shift+Enter", "In review: return the case to its annotator", (d) => d.progress.request("return")],
  ["revise", "Shift+E", "In review: edit a copy of the case", (d) => void d.progress.revise()],
  ["comment", "Shift+C", "Comment: at the next press, or at the crosshair", (d) => d.startComment()],
  ["comment-slice", "Shift+S", "Comment on the whole slice", (d) => d.commentOnSlice()],
  ["next-comment", "Shift+M", "Next open comment", (d) => d.goToNextComment()],
]);

const HELP = group("Help", [["help", "?", "This sheet", (d) => toggle(d.keysShown)]]);

export const COMMANDS: readonly Command[] = [
  ...SLICES,
  ...CLICKS,
  ...PAINT,
  ...LABELS,
  ...DISPLAY,
  ...CROSSHAIR,
  ...READINGS,
  ...CASE,
  ...HELP,
];

/** What `viewer/pointer` understands, in words. */
export const MOUSE: readonly Hint[] = [
  { keys: ["Left click", "Finger", "Pen"], does: "Foreground click; hold and drag, and the mask follows" },
  { keys: ["Right click", "Alt+click", "Pen's eraser"], does: "Background click" },
  { keys: ["Drag a click"], does: "Move it" },
  {
    keys: ["Right drag", "Alt+drag", "Pen's eraser"],
    does: "With a brush or lasso: take away instead; with the eraser: give back",
  },
  { keys: ["Shift+click"], does: "Delete the click under the pointer" },
  { keys: ["Wheel"], does: "Slices" },
  { keys: ["Ctrl+wheel", "Pinch"], does: "Zoom around the pointer" },
  { keys: ["Middle drag", "Space+drag", "Two fingers"], does: "Pan" },
  { keys: ["Ctrl+drag"], does: "Window: right is wider, down is a higher level" },
];

/** And what the planes beside the slice understand. */
export const PLANE_MOUSE: readonly Hint[] = [
  { keys: ["Shift+move"], does: "In the slice: the planes follow the pointer; else the last press" },
  { keys: ["Press", "Drag"], does: "In a plane: go there, in the other plane and the slices too" },
  { keys: ["Wheel", "PageUp", "PageDown"], does: "In a plane: step through its cuts" },
  { keys: ["Arrows"], does: "In a plane that has the focus: move the point; with Shift by ten" },
];
