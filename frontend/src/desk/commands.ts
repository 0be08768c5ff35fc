/** Every command, and its keys until a person gives it others. Keyboard, tips and sheet of keys read this table. */
import type { Signal } from "@preact/signals-core";
import type { Viewer } from "../viewer/viewer";
import { PRESETS } from "../viewer/window";
import { gettext } from "../words";
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

const SLICES = group(gettext("Slices"), [
  ["next-slice", "ArrowUp .", gettext("Next slice towards the head"), vertical(1, 1)],
  ["previous-slice", "ArrowDown ,", gettext("Next slice towards the feet"), vertical(-1, 1)],
  ["ten-up", "PageUp", gettext("Ten slices towards the head"), (d) => d.goTo(d.z.value + STEP)],
  ["ten-down", "PageDown", gettext("Ten slices towards the feet"), (d) => d.goTo(d.z.value - STEP)],
  ["lowest", "Home", gettext("Lowest slice"), (d) => d.goTo(0)],
  ["highest", "End", gettext("Highest slice"), (d) => d.goTo(d.depth - 1)],
  ["next-mask", "N", gettext("Next slice with a mask of this label"), (d) => d.goToMask(1)],
  ["next-doubtful", "Shift+N", gettext("Next slice that the model doubts"), (d) => d.goToDoubtful()],
  ["previous-mask", "P", gettext("Previous slice with a mask of this label"), (d) => d.goToMask(-1)],
]);

const CLICKS = group(gettext("Clicks"), [
  ["click", "V", gettext("Click tool"), (d) => d.chooseTool("click")],
  ["swap", "X", gettext("Swap what a click places: foreground or background"), (d) => toggle(d.placesBackground)],
  [
    "delete-click",
    "Delete Backspace",
    gettext("Delete the click under the pointer, or the selected one"),
    (d) => d.deleteClick(),
  ],
  ["peek", "Q", gettext("Held: see the mask of a click before it is placed"), (d) => d.startPeek(), (d) => d.endPeek()],
  ["undo", "Ctrl+Z", gettext("Undo"), (d) => d.undo()],
  ["redo", "Ctrl+Shift+Z Ctrl+Y", gettext("Redo"), (d) => d.redo()],
  ["replay", "R", gettext("Replay how this mask was made"), (d) => void d.history.replay(d.place.value)],
  ["cancel", "Escape", gettext("Cancel a drag or a stroke, leave the crosshair"), (d) => d.escape()],
]);

const PAINT = group(gettext("Brush and mask"), [
  ["brush", "B", gettext("Brush"), (d) => d.chooseTool("brush")],
  ["eraser", "E", gettext("Eraser"), (d) => d.chooseTool("eraser")],
  ["lasso", "L", gettext("Lasso"), (d) => d.chooseTool("lasso")],
  ["threshold", "T", gettext("Brush for a range of HU"), (d) => d.chooseTool("threshold")],
  ["thinner", "[", gettext("Thinner brush"), (d) => d.painting.widen(-1)],
  ["thicker", "]", gettext("Thicker brush"), (d) => d.painting.widen(1)],
  ["fill", "J", gettext("Fill holes"), (d) => d.edit("fill")],
  ["largest", "K", gettext("Keep the largest piece"), (d) => d.edit("largest")],
  ["grow", "G", gettext("Grow by 1 mm"), (d) => d.edit("grow")],
  ["shrink", "S", gettext("Shrink by 1 mm"), (d) => d.edit("shrink")],
  ["copy-above", "U", gettext("Copy the mask of the slice above"), (d) => d.copyFrom(1)],
  ["copy-below", "D", gettext("Copy the mask of the slice below"), (d) => d.copyFrom(-1)],
  ["propagate-up", "Shift+U", gettext("Propagate this mask upwards"), (d) => void d.propagate([1])],
  ["propagate-down", "Shift+D", gettext("Propagate this mask downwards"), (d) => void d.propagate([-1])],
  [
    "propagate-both",
    "Shift+P",
    gettext("Propagate this mask both ways; Escape stops"),
    (d) => void d.propagate([1, -1]),
  ],
  [
    "fill-between",
    "Shift+F",
    gettext("Fill between the confirmed slices above and below"),
    (d) => void d.fillBetween(),
  ],
  ["accept", "Shift+A", gettext("Accept a propagated mask and go to the next"), (d) => d.accept()],
  ["clear", "Shift+Delete Shift+Backspace", gettext("Clear this label on this slice"), (d) => d.edit("clear")],
]);

const LABELS = group(gettext("Labels and masks"), [
  ...LABEL_NUMBERS.map(
    (n): Row => [
      labelCommand(n),
      n <= 9 ? `${n}` : "",
      gettext("Label %(n)s", { n }),
      (d) => d.selectLabel(d.assignment.labels[n - 1]),
    ],
  ),
  ["hide", "H", gettext("Hide or show this label"), (d) => d.toggleVisible(d.label.value)],
  ["lock", "Y", gettext("Lock or unlock this label"), (d) => d.toggleLock(d.label.value)],
  ["hide-all", "M", gettext("Hide or show all masks"), (d) => toggle(d.masksHidden)],
  ["outline", "O", gettext("Outline on or off"), (d) => toggle(d.preferences.outlined)],
]);

export const WINDOW_AND_ZOOM = gettext("Window and zoom");

const DISPLAY = group(WINDOW_AND_ZOOM, [
  ["window", "W", gettext("Window tool: drag changes width and level"), (d) => d.toggleTool("window")],
  ["ruler", "Z", gettext("Ruler"), (d) => d.chooseTool("ruler")],
  ...PRESETS.map(
    (p, i): Row => [
      `preset-${i + 1}`,
      `Shift+${i + 1}`,
      `${p.name} ${p.width} / ${p.level}`.replace("-", "−"),
      (d) => d.applyPreset(i),
    ],
  ),
  ["auto-window", "A", gettext("Window from this slice"), (d) => d.applyAutoWindow()],
  ["zoom-in", "+ =", gettext("Zoom in"), (_, viewer) => viewer.zoom(ZOOM_STEP)],
  ["zoom-out", "-", gettext("Zoom out"), (_, viewer) => viewer.zoom(1 / ZOOM_STEP)],
  ["fit", "F 0", gettext("Fit the slice"), (_, viewer) => viewer.fit()],
  ["smooth", "I", gettext("Smooth image or plain voxels"), (d) => toggle(d.preferences.smooth)],
  ["planes", "Shift+V", gettext("Coronal and sagittal plane on or off"), (d) => toggle(d.preferences.planes)],
]);

const CROSSHAIR = group(gettext("Keyboard crosshair"), [
  ["crosshair", "C", gettext("Crosshair on or off; up and down move it too"), (d) => d.toggleCrosshair()],
  ["left", "ArrowLeft", gettext("One voxel left"), horizontal(-1, 1)],
  ["right", "ArrowRight", gettext("One voxel right"), horizontal(1, 1)],
  ["ten-left", "Shift+ArrowLeft", gettext("Ten voxels left"), horizontal(-1, STEP)],
  ["ten-right", "Shift+ArrowRight", gettext("Ten voxels right"), horizontal(1, STEP)],
  ["ten-rows-up", "Shift+ArrowUp", gettext("Ten voxels up"), vertical(1, STEP)],
  ["ten-rows-down", "Shift+ArrowDown", gettext("Ten voxels down"), vertical(-1, STEP)],
  [
    "click-here",
    "Enter",
    gettext("Click; on a click: pick up, put down"),
    (d) => d.clickAtCrosshair(d.placesBackground.value),
  ],
  ["click-background", "Shift+Enter", gettext("Background click"), (d) => d.clickAtCrosshair(true)],
]);

const READINGS = group(gettext("Two readings, in an adjudication"), [
  ["take-first", "Shift+Q", gettext("Take the first reading here"), (d) => d.take("first")],
  ["take-second", "Shift+W", gettext("Take the second reading here"), (d) => d.take("second")],
  ["take-union", "Shift+X", gettext("Take what either has here"), (d) => d.take("union")],
  ["take-intersection", "Shift+R", gettext("Take what both have here"), (d) => d.take("intersection")],
  [
    "rest-first",
    "Shift+G",
    gettext("Take the first reading wherever this label is undecided"),
    (d) => d.takeRest("first"),
  ],
  [
    "rest-second",
    "Shift+H",
    gettext("Take the second reading wherever this label is undecided"),
    (d) => d.takeRest("second"),
  ],
  [
    "next-undecided",
    "Shift+J",
    gettext("Next difference that is undecided, the worst first"),
    (d) => d.goToUndecided(),
  ],
]);

const CASE = group(gettext("Case"), [
  ["submit", "Ctrl+Enter", gettext("Submit the case; in review: accept it"), (d) => d.progress.finish()],
  [
    "return",
    "Ctrl+Shift+Enter",
    gettext("In review: return the case to its annotator"),
    (d) => d.progress.request("return"),
  ],
  ["revise", "Shift+E", gettext("In review: edit a copy of the case"), (d) => void d.progress.revise()],
  ["comment", "Shift+C", gettext("Comment: at the next press, or at the crosshair"), (d) => d.startComment()],
  ["comment-slice", "Shift+S", gettext("Comment on the whole slice"), (d) => d.commentOnSlice()],
  ["next-comment", "Shift+M", gettext("Next open comment"), (d) => d.goToNextComment()],
]);

const HELP = group(gettext("Help"), [["help", "?", gettext("This sheet"), (d) => toggle(d.keysShown)]]);

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
  {
    keys: [gettext("Left click"), gettext("Finger"), gettext("Pen")],
    does: gettext("Foreground click; hold and drag, and the mask follows"),
  },
  { keys: [gettext("Right click"), gettext("Alt+click"), gettext("Pen's eraser")], does: gettext("Background click") },
  { keys: [gettext("Drag a click")], does: gettext("Move it") },
  {
    keys: [gettext("Right drag"), gettext("Alt+drag"), gettext("Pen's eraser")],
    does: gettext("With a brush or lasso: take away instead; with the eraser: give back"),
  },
  { keys: [gettext("Shift+click")], does: gettext("Delete the click under the pointer") },
  { keys: [gettext("Wheel")], does: gettext("Slices") },
  { keys: [gettext("Ctrl+wheel"), gettext("Pinch")], does: gettext("Zoom around the pointer") },
  { keys: [gettext("Middle drag"), gettext("Space+drag"), gettext("Two fingers")], does: gettext("Pan") },
  { keys: [gettext("Ctrl+drag")], does: gettext("Window: right is wider, down is a higher level") },
];

/** And what the planes beside the slice understand. */
export const PLANE_MOUSE: readonly Hint[] = [
  { keys: [gettext("Shift+move")], does: gettext("In the slice: the planes follow the pointer; else the last press") },
  {
    keys: [gettext("Press"), gettext("Drag")],
    does: gettext("In a plane: go there, in the other plane and the slices too"),
  },
  {
    keys: [gettext("Wheel"), gettext("PageUp"), gettext("PageDown")],
    does: gettext("In a plane: step through its cuts"),
  },
  { keys: [gettext("Arrows")], does: gettext("In a plane that has the focus: move the point; with Shift by ten") },
];
