/** Every command and its keys. The keyboard and the sheet of keys both read this table. */
import type { Signal } from "@preact/signals-core";
import type { Viewer } from "../viewer/viewer";
import { PRESETS } from "../viewer/window";
import type { Desk } from "./desk";

type Run = (desk: Desk, viewer: Viewer) => void;

export interface Hint {
  readonly group: string;
  readonly keys: readonly string[];
  readonly does: string;
}

export interface Command extends Hint {
  readonly run: Run;
}

const STEP = 10;
const PEEK = "Q";
const ZOOM_STEP = 1.25;
const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

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

/** Keys, separated by blanks, what they do, and how. */
type Row = readonly [keys: string, does: string, run: Run];

const group = (name: string, rows: readonly Row[]): Command[] =>
  rows.map(([keys, does, run]) => ({ group: name, keys: keys.split(" "), does, run }));

const SLICES = group("Slices", [
  ["ArrowUp .", "Next slice towards the head", vertical(1, 1)],
  ["ArrowDown ,", "Next slice towards the feet", vertical(-1, 1)],
  ["PageUp", "Ten slices towards the head", (d) => d.goTo(d.z.value + STEP)],
  ["PageDown", "Ten slices towards the feet", (d) => d.goTo(d.z.value - STEP)],
  ["Home", "Lowest slice", (d) => d.goTo(0)],
  ["End", "Highest slice", (d) => d.goTo(d.depth - 1)],
  ["N", "Next slice with a mask of this label", (d) => d.goToMask(1)],
  ["Shift+N", "Next slice that the model doubts", (d) => d.goToDoubtful()],
  ["P", "Previous slice with a mask of this label", (d) => d.goToMask(-1)],
]);

const CLICKS = group("Clicks", [
  ["V", "Click tool", (d) => d.chooseTool("click")],
  ["X", "Swap what a click places: foreground or background", (d) => toggle(d.placesBackground)],
  ["Delete Backspace", "Delete the click under the pointer, or the selected one", (d) => d.deleteClick()],
  ["Ctrl+Z", "Undo", (d) => d.undo()],
  ["Ctrl+Shift+Z Ctrl+Y", "Redo", (d) => d.redo()],
  ["R", "Replay how this mask was made", (d) => void d.history.replay(d.place.value)],
  ["Escape", "Cancel a drag or a stroke, leave the crosshair", (d) => d.escape()],
]);

const PAINT = group("Brush and mask", [
  ["B", "Brush", (d) => d.chooseTool("brush")],
  ["E", "Eraser", (d) => d.chooseTool("eraser")],
  ["L", "Lasso", (d) => d.chooseTool("lasso")],
  ["T", "Brush for a range of HU", (d) => d.chooseTool("threshold")],
  ["[", "Thinner brush", (d) => d.painting.widen(-1)],
  ["]", "Thicker brush", (d) => d.painting.widen(1)],
  ["J", "Fill holes", (d) => d.edit("fill")],
  ["K", "Keep the largest piece", (d) => d.edit("largest")],
  ["G", "Grow by 1 mm", (d) => d.edit("grow")],
  ["S", "Shrink by 1 mm", (d) => d.edit("shrink")],
  ["U", "Copy the mask of the slice above", (d) => d.copyFrom(1)],
  ["D", "Copy the mask of the slice below", (d) => d.copyFrom(-1)],
  ["Shift+U", "Propagate this mask upwards", (d) => void d.propagate([1])],
  ["Shift+D", "Propagate this mask downwards", (d) => void d.propagate([-1])],
  ["Shift+P", "Propagate this mask both ways; Escape stops", (d) => void d.propagate([1, -1])],
  ["Shift+F", "Fill between the confirmed slices above and below", (d) => void d.fillBetween()],
  ["Shift+A", "Accept a propagated mask and go to the next", (d) => d.accept()],
  ["Shift+Delete Shift+Backspace", "Clear this label on this slice", (d) => d.edit("clear")],
]);

const LABELS = group("Labels and masks", [
  ...DIGITS.map((n): Row => [`${n}`, `Label ${n}`, (d) => d.selectLabel(d.assignment.labels[n - 1])]),
  ["H", "Hide or show this label", (d) => d.toggleVisible(d.label.value)],
  ["Y", "Lock or unlock this label", (d) => d.toggleLock(d.label.value)],
  ["M", "Hide or show all masks", (d) => toggle(d.masksHidden)],
  ["O", "Outline on or off", (d) => toggle(d.preferences.outlined)],
]);

const DISPLAY = group("Window and zoom", [
  ["W", "Window tool: drag changes width and level", (d) => d.toggleTool("window")],
  ["Z", "Ruler", (d) => d.chooseTool("ruler")],
  ...PRESETS.map(
    (p, i): Row => [`Shift+${i + 1}`, `${p.name} ${p.width} / ${p.level}`.replace("-", "−"), (d) => d.applyPreset(i)],
  ),
  ["A", "Window from this slice", (d) => d.applyAutoWindow()],
  ["+ =", "Zoom in", (_, viewer) => viewer.zoom(ZOOM_STEP)],
  ["-", "Zoom out", (_, viewer) => viewer.zoom(1 / ZOOM_STEP)],
  ["F 0", "Fit the slice", (_, viewer) => viewer.fit()],
  ["I", "Smooth image or plain voxels", (d) => toggle(d.preferences.smooth)],
  ["Shift+V", "Coronal and sagittal plane on or off", (d) => toggle(d.preferences.planes)],
]);

const CROSSHAIR = group("Keyboard crosshair", [
  ["C", "Crosshair on or off; up and down move it too", (d) => d.toggleCrosshair()],
  ["ArrowLeft", "One voxel left", horizontal(-1, 1)],
  ["ArrowRight", "One voxel right", horizontal(1, 1)],
  ["Shift+ArrowLeft", "Ten voxels left", horizontal(-1, STEP)],
  ["Shift+ArrowRight", "Ten voxels right", horizontal(1, STEP)],
  ["Shift+ArrowUp", "Ten voxels up", vertical(1, STEP)],
  ["Shift+ArrowDown", "Ten voxels down", vertical(-1, STEP)],
  ["Enter", "Click; on a click: pick it up and put it down", (d) => d.clickAtCrosshair(d.placesBackground.value)],
  ["Shift+Enter", "Background click", (d) => d.clickAtCrosshair(true)],
]);

const HELP = group("Help", [["?", "This sheet", (d) => toggle(d.keysShown)]]);

export const COMMANDS: readonly Command[] = [
  ...SLICES,
  ...CLICKS,
  ...PAINT,
  ...LABELS,
  ...DISPLAY,
  ...CROSSHAIR,
  ...HELP,
];

/** What `viewer/pointer` understands, in words. */
export const MOUSE: readonly Hint[] = [
  { keys: ["Left click"], does: "Foreground click; hold and drag, and the mask follows" },
  { keys: ["Right click", "Alt+click"], does: "Background click" },
  { keys: ["Q held"], does: "See the mask of a click before it is placed" },
  { keys: ["Drag a click"], does: "Move it" },
  { keys: ["Right drag", "Alt+drag"], does: "With a brush or lasso: take away instead; with the eraser: give back" },
  { keys: ["Shift+click"], does: "Delete the click under the pointer" },
  { keys: ["Wheel"], does: "Slices" },
  { keys: ["Ctrl+wheel", "Pinch"], does: "Zoom around the pointer" },
  { keys: ["Middle drag", "Space+drag"], does: "Pan" },
  { keys: ["Ctrl+drag"], does: "Window: right is wider, down is a higher level" },
  ...[
    { keys: ["Shift+move"], does: "In the slice: the planes follow the pointer; else the last press" },
    { keys: ["Press", "Drag"], does: "In a plane: go there, in the other plane and the slices too" },
    { keys: ["Wheel", "PageUp", "PageDown"], does: "In a plane: step through its cuts" },
    { keys: ["Arrows"], does: "In a plane that has the focus: move the point; with Shift by ten" },
  ].map((hint) => ({ group: "Coronal and sagittal plane", ...hint })),
].map((hint) => ({ group: "Mouse and touch", ...hint }));

const BY_CHORD = new Map(COMMANDS.flatMap((command) => command.keys.map((chord) => [chord, command])));

/** The chord of a key press as the table spells it. Digits go by their place on the keyboard, whatever Shift prints there. */
export function chordOf(
  event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">,
): string {
  const digitKey = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const letter = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const key = digitKey ?? letter;
  const printsShift =
    event.key.length === 1 && !digitKey && letter === event.key && event.key.toLowerCase() === event.key;
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${control}${event.altKey ? "Alt+" : ""}${event.shiftKey && !printsShift ? "Shift+" : ""}${key}`;
}

const WIDGET_KEYS = new Set([
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "PageUp",
  "PageDown",
  "Home",
  "End",
  "Enter",
]);

/** The command of a key press, unless the element that has the focus needs that key itself. */
export function commandFor(event: KeyboardEvent, singleKeys: boolean): Command | undefined {
  return isFree(event, singleKeys) ? BY_CHORD.get(chordOf(event)) : undefined;
}

function isFree(event: KeyboardEvent, singleKeys: boolean): boolean {
  const chord = chordOf(event);
  const target = event.target instanceof Element ? event.target : undefined;
  if (target?.closest("dialog, textarea, select, input:not([type=range], [type=radio], [type=checkbox])")) return false;
  if (target?.closest("input, button, a, summary") && WIDGET_KEYS.has(event.key)) return false;
  return singleKeys || chord.length > 1 || chord === "?";
}

export function listenToKeys(desk: Desk, viewer: Viewer): void {
  window.addEventListener("keydown", (event) => {
    const command = commandFor(event, desk.preferences.singleKeys.value);
    if (!command) return;
    event.preventDefault();
    command.run(desk, viewer);
  });
  listenToPeek(desk);
}

/** The one key that counts for as long as it is held. */
function listenToPeek(desk: Desk): void {
  window.addEventListener("keydown", (event) => {
    if (chordOf(event) === PEEK && isFree(event, desk.preferences.singleKeys.value)) desk.startPeek();
  });
  window.addEventListener("keyup", (event) => {
    if (event.key.toUpperCase() === PEEK) desk.endPeek();
  });
  window.addEventListener("blur", () => desk.endPeek());
}
