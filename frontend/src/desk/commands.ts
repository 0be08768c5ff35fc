/** Every command and its keys. The keyboard and the sheet of keys both read this table. */
import { PRESETS } from "../viewer/window";
import type { Viewer } from "../viewer/viewer";
import type { Desk } from "./desk";

export interface Command {
  readonly group: "Slices" | "Clicks" | "Labels and masks" | "Window and zoom" | "Keyboard crosshair" | "Help";
  readonly does: string;
  readonly keys: readonly string[];
  readonly run: (desk: Desk, viewer: Viewer) => void;
}

export interface MouseHint {
  readonly does: string;
  readonly keys: readonly string[];
}

export const MOUSE: readonly MouseHint[] = [
  { keys: ["Left click"], does: "Foreground click; hold and drag, and the mask follows" },
  { keys: ["Right click", "Alt+click"], does: "Background click" },
  { keys: ["Drag a click"], does: "Move it" },
  { keys: ["Shift+click on a click"], does: "Delete it" },
  { keys: ["Wheel"], does: "Slices" },
  { keys: ["Ctrl+wheel", "Pinch"], does: "Zoom around the pointer" },
  { keys: ["Middle drag", "Space+drag"], does: "Pan" },
  { keys: ["Ctrl+drag"], does: "Window: right is wider, down is a higher level" },
];

const STEP = 10;
const ZOOM_STEP = 1.25;

/** Up and down are slices, or rows while the crosshair is on. */
const vertical = (direction: 1 | -1, step: number) => (desk: Desk, viewer: Viewer) =>
  desk.crosshair.value ? steer(desk, viewer, 0, -direction * step) : desk.goTo(desk.z.value + direction * step);

const horizontal = (direction: 1 | -1, step: number) => (desk: Desk, viewer: Viewer) =>
  steer(desk, viewer, direction * step, 0);

function steer(desk: Desk, viewer: Viewer, dx: number, dy: number): void {
  desk.moveCrosshair(dx, dy);
  if (desk.crosshair.value) viewer.reveal(desk.crosshair.value);
}

const digit = (n: number): string[] => [`${n}`];

export const COMMANDS: readonly Command[] = [
  { group: "Slices", keys: ["ArrowUp", "."], does: "Next slice towards the head", run: vertical(1, 1) },
  { group: "Slices", keys: ["ArrowDown", ","], does: "Next slice towards the feet", run: vertical(-1, 1) },
  { group: "Slices", keys: ["PageUp"], does: "Ten slices towards the head", run: (d) => d.goTo(d.z.value + STEP) },
  { group: "Slices", keys: ["PageDown"], does: "Ten slices towards the feet", run: (d) => d.goTo(d.z.value - STEP) },
  { group: "Slices", keys: ["Home"], does: "Lowest slice", run: (d) => d.goTo(0) },
  { group: "Slices", keys: ["End"], does: "Highest slice", run: (d) => d.goTo(d.depth - 1) },
  { group: "Slices", keys: ["N"], does: "Next slice with a mask of this label", run: (d) => d.goToMask(1) },
  { group: "Slices", keys: ["P"], does: "Previous slice with a mask of this label", run: (d) => d.goToMask(-1) },

  {
    group: "Clicks",
    keys: ["V"],
    does: "Click tool",
    run: (d) => {
      d.tool.value = "click";
    },
  },
  {
    group: "Clicks",
    keys: ["X"],
    does: "Swap what a click places: foreground or background",
    run: (d) => {
      d.placesBackground.value = !d.placesBackground.value;
    },
  },
  {
    group: "Clicks",
    keys: ["Delete", "Backspace"],
    does: "Delete the click under the pointer, or the selected one",
    run: (d) => d.deleteClick(),
  },
  { group: "Clicks", keys: ["Ctrl+Z"], does: "Undo", run: (d) => d.session.undo() },
  { group: "Clicks", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], does: "Redo", run: (d) => d.session.redo() },
  { group: "Clicks", keys: ["Escape"], does: "Cancel a drag, leave the crosshair", run: (d) => d.escape() },

  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(
    (n): Command => ({
      group: "Labels and masks",
      keys: digit(n),
      does: `Label ${n}`,
      run: (d) => d.selectLabel(d.assignment.labels[n - 1]),
    }),
  ),
  {
    group: "Labels and masks",
    keys: ["H"],
    does: "Hide or show this label",
    run: (d) => d.setVisible(d.label.value, d.hidden.value.has(d.label.value.id)),
  },
  {
    group: "Labels and masks",
    keys: ["M"],
    does: "Hide or show all masks",
    run: (d) => {
      d.masksHidden.value = !d.masksHidden.value;
    },
  },
  {
    group: "Labels and masks",
    keys: ["O"],
    does: "Outline on or off",
    run: ({ preferences: p }) => {
      p.outlined.value = !p.outlined.value;
    },
  },

  {
    group: "Window and zoom",
    keys: ["W"],
    does: "Window tool: drag changes width and level",
    run: (d) => {
      d.tool.value = d.tool.value === "window" ? "click" : "window";
    },
  },
  ...PRESETS.map(
    (preset, i): Command => ({
      group: "Window and zoom",
      keys: [`Shift+${i + 1}`],
      does: `${preset.name} ${preset.width} / ${preset.level}`,
      run: (d) => d.applyPreset(i),
    }),
  ),
  { group: "Window and zoom", keys: ["A"], does: "Window from this slice", run: (d) => d.applyAutoWindow() },
  { group: "Window and zoom", keys: ["+", "="], does: "Zoom in", run: (_, v) => v.zoom(ZOOM_STEP) },
  { group: "Window and zoom", keys: ["-"], does: "Zoom out", run: (_, v) => v.zoom(1 / ZOOM_STEP) },
  { group: "Window and zoom", keys: ["F", "0"], does: "Fit the slice", run: (_, v) => v.fit() },
  {
    group: "Window and zoom",
    keys: ["I"],
    does: "Smooth or plain voxels",
    run: ({ preferences: p }) => {
      p.smooth.value = !p.smooth.value;
    },
  },

  { group: "Keyboard crosshair", keys: ["C"], does: "Crosshair on or off", run: (d) => d.toggleCrosshair() },
  {
    group: "Keyboard crosshair",
    keys: ["ArrowLeft"],
    does: "One voxel left (right, up and down likewise)",
    run: horizontal(-1, 1),
  },
  { group: "Keyboard crosshair", keys: ["ArrowRight"], does: "One voxel right", run: horizontal(1, 1) },
  { group: "Keyboard crosshair", keys: ["Shift+ArrowLeft"], does: "Ten voxels left", run: horizontal(-1, STEP) },
  { group: "Keyboard crosshair", keys: ["Shift+ArrowRight"], does: "Ten voxels right", run: horizontal(1, STEP) },
  { group: "Keyboard crosshair", keys: ["Shift+ArrowUp"], does: "Ten voxels up", run: vertical(1, STEP) },
  { group: "Keyboard crosshair", keys: ["Shift+ArrowDown"], does: "Ten voxels down", run: vertical(-1, STEP) },
  {
    group: "Keyboard crosshair",
    keys: ["Enter"],
    does: "Click; on a click: pick it up and put it down",
    run: (d) => d.clickAtCrosshair(d.placesBackground.value),
  },
  {
    group: "Keyboard crosshair",
    keys: ["Shift+Enter"],
    does: "Background click",
    run: (d) => d.clickAtCrosshair(true),
  },

  {
    group: "Help",
    keys: ["?"],
    does: "This sheet",
    run: (d) => {
      d.keysShown.value = !d.keysShown.value;
    },
  },
];

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
  const chord = chordOf(event);
  const target = event.target as Element | null;
  if (target?.closest("dialog, textarea, select, input:not([type=range], [type=radio], [type=checkbox])"))
    return undefined;
  if (target?.closest("input, button, a, summary") && WIDGET_KEYS.has(event.key)) return undefined;
  if (!singleKeys && chord.length === 1 && chord !== "?") return undefined;
  return BY_CHORD.get(chord);
}

export function listenToKeys(desk: Desk, viewer: Viewer): void {
  window.addEventListener("keydown", (event) => {
    const command = commandFor(event, desk.preferences.singleKeys.value);
    if (!command) return;
    event.preventDefault();
    command.run(desk, viewer);
  });
}
