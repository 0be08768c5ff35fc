/**
 * The canvases on top of one another, split by how often they change: the image with slice and window, the masks with
 * answers, others' masks (`guides`) with the slice, the overlay with the pointer. Each has one draw function that can only see the state it lists.
 */
import { intervals, type Mask } from "../protocol/mask";
import type { PlacedClick } from "../protocol/messages";
import { Affine, centreOf, type Grid, type ImagePoint, lengthMm, type Voxel, voxel } from "./geometry";
import { dashed, type Edge, outline } from "./outline";
import type { Guide } from "./guides";
import { paintGreys } from "./window";
import { decimal } from "../words";

export interface LabelMask {
  readonly label: number;
  readonly colour: string;
  readonly mask: Mask;
  /** Nobody has looked at it yet, or at these rows of it: outlined in dashes. */
  readonly unconfirmed?: boolean | ReadonlySet<number>;
}

export interface ViewState {
  readonly grid: Grid;
  readonly slice: Int16Array | undefined;
  readonly table: Uint32Array;
  readonly smooth: boolean;
  /** Image points to CSS pixels. */
  readonly toCanvas: Affine;
  readonly pixelRatio: number;
  readonly masks: readonly LabelMask[];
  readonly opacity: number;
  readonly outlined: boolean;
  /** Masks of others, to look at. */
  readonly guides: readonly Guide[];
  readonly clicks: readonly PlacedClick[];
  /** The click under the pointer, or the one that is selected. */
  readonly marked: number | undefined;
  readonly crosshair: Voxel | undefined;
  /** Where the other planes cut this one. */
  readonly cut: Voxel | undefined;
  readonly brush: Brush | undefined;
  /** The line of a lasso. */
  readonly way: readonly ImagePoint[];
  readonly ruler: Ruler | undefined;
  readonly pins: readonly Pin[];
  /** Outlines of other masks than those that are shown. */
  readonly difference: readonly LabelMask[];
}

/** Where a comment is pinned. */
export interface Pin {
  readonly x: number;
  readonly y: number;
  /** Its number. */
  readonly text: string;
  readonly isChosen: boolean;
  readonly isResolved: boolean;
}

/** A line whose length is wanted. */
export interface Ruler {
  readonly from: ImagePoint;
  readonly to: ImagePoint;
}

/** The brush under the pointer. */
export interface Brush {
  readonly at: ImagePoint;
  readonly radiusMm: number;
  readonly erases: boolean;
}

type Context = CanvasRenderingContext2D;

export interface Layer {
  readonly reads: readonly (keyof ViewState)[];
  readonly draw: (context: Context, state: ViewState) => void;
}

export function layer<K extends keyof ViewState>(
  reads: readonly K[],
  draw: (context: Context, state: Pick<ViewState, K>) => void,
): Layer {
  return { reads, draw };
}

/** Above so many device pixels per voxel the eye wants to see the voxels. */
const SMOOTH_UP_TO = 10;
const OUTLINE_WIDTH = 1.5;
const CLICK_RADIUS = 6.5;
const PIN_RADIUS = 9;
const COLOURS = {
  foreground: "#5fe08a",
  background: "#ff8d85",
  ink: "#0b0e12",
  marked: "#ffffff",
  crosshair: "#ffd479",
  cut: "#7cc0ff",
  pin: "#ffd479",
  resolved: "#9aa8b6",
};

export const toDevice = (state: Pick<ViewState, "toCanvas" | "pixelRatio">) =>
  state.toCanvas.followedBy(Affine.scale(state.pixelRatio));

export function cleared(context: Context): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
}

export function imageLayer(): Layer {
  const raster = greyRaster();
  return layer(["slice", "table", "grid", "smooth", "toCanvas", "pixelRatio"], (context, state) => {
    cleared(context);
    if (!state.slice) return;
    const transform = toDevice(state);
    context.setTransform(...transform.toArray());
    context.imageSmoothingEnabled = state.smooth && transform.a < SMOOTH_UP_TO;
    context.drawImage(raster(state.slice, state.table, state.grid), 0, 0);
  });
}

/** The slice through the lookup table, made anew only when one of the two changes: panning and zooming reuse it. */
function greyRaster() {
  let canvas: OffscreenCanvas | undefined;
  let [madeOf, madeBy]: [Int16Array | undefined, Uint32Array | undefined] = [undefined, undefined];
  return (slice: Int16Array, table: Uint32Array, grid: Grid): OffscreenCanvas => {
    if (canvas && madeOf === slice && madeBy === table) return canvas;
    canvas ??= new OffscreenCanvas(grid.columns, grid.rows);
    const image = new ImageData(grid.columns, grid.rows);
    paintGreys(slice, table, new Uint32Array(image.data.buffer));
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    [madeOf, madeBy] = [slice, table];
    return canvas;
  };
}

/** `onPainted` is told when a mask is on screen that was not, or none any more. */
export function maskLayer(onPainted: (masks: readonly LabelMask[]) => void): Layer {
  let painted: readonly LabelMask[] = [];
  let pictures: ReadonlyMap<Mask, Picture> = new Map(); // of the masks that were painted last: most of them stay
  return layer(["masks", "opacity", "outlined", "toCanvas", "pixelRatio"], (context, state) => {
    cleared(context);
    const transform = toDevice(state);
    const filled = state.masks.filter(({ mask }) => mask.runs.length > 0);
    pictures = new Map(filled.map((item) => [item.mask, pictures.get(item.mask) ?? pictureOf(item)]));
    for (const item of filled) {
      const picture = pictures.get(item.mask) as Picture;
      fillMask(context, transform, picture.raster, item.mask, state.opacity);
      if (state.outlined) strokeMask(context, transform, picture.edges, item, OUTLINE_WIDTH * state.pixelRatio);
    }
    if (!sameMasks(painted, state.masks)) onPainted(state.masks);
    painted = state.masks;
  });
}

export const sameMasks = (a: readonly LabelMask[], b: readonly LabelMask[]): boolean =>
  a.length === b.length && a.every((item, i) => sameMask(item, b[i]));

const sameMask = (a: LabelMask, b: LabelMask | undefined): boolean =>
  a.mask === b?.mask && a.label === b.label && a.unconfirmed === b.unconfirmed;

type Coloured = Pick<LabelMask, "mask" | "colour">;

/** What is drawn of a mask at every position and zoom. */
export interface Picture {
  readonly raster: OffscreenCanvas;
  readonly edges: readonly Edge[];
}

export const pictureOf = (item: Coloured): Picture => ({ raster: rasterOf(item), edges: [...outline(item.mask)] });

function rasterOf({ mask, colour }: Coloured): OffscreenCanvas {
  const canvas = new OffscreenCanvas(mask.boxWidth, mask.boxHeight);
  const image = new ImageData(mask.boxWidth, mask.boxHeight);
  const pixels = new Uint32Array(image.data.buffer);
  const word = opaqueWord(colour);
  for (const { y, start, end } of intervals(mask)) {
    const row = (y - mask.y0) * mask.boxWidth - mask.x0;
    pixels.fill(word, row + start, row + end);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

/** "#rrggbb" as a little-endian RGBA word. */
function opaqueWord(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}

export function fillMask(
  context: Context,
  transform: Affine,
  raster: OffscreenCanvas,
  mask: Mask,
  opacity: number,
): void {
  context.setTransform(...transform.toArray());
  context.imageSmoothingEnabled = false;
  context.globalAlpha = opacity;
  context.drawImage(raster, mask.x0, mask.y0);
  context.globalAlpha = 1;
}

/** The path is transformed, not the pen, so that the line is as thin at every zoom and on anisotropic voxels. */
export function strokeMask(
  context: Context,
  transform: Affine,
  edges: readonly Edge[],
  { colour, unconfirmed }: Pick<LabelMask, "colour" | "unconfirmed">,
  width: number,
): void {
  const path = unconfirmed ? dashed(edges, unconfirmed === true ? undefined : unconfirmed) : edges;
  tracePath(context, transform, path);
  context.lineCap = "square";
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
}

function tracePath(context: Context, transform: Affine, path: Iterable<Edge>): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.beginPath();
  for (const { x0, y0, x1, y1 } of path) {
    const [from, to] = [transform.apply({ x: x0, y: y0 }), transform.apply({ x: x1, y: y1 })];
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  }
}

export function overlayLayer(): Layer {
  return layer(
    [
      "clicks",
      "marked",
      "crosshair",
      "cut",
      "brush",
      "way",
      "ruler",
      "pins",
      "difference",
      "grid",
      "toCanvas",
      "pixelRatio",
    ],
    (context, state) => {
      cleared(context);
      for (const { mask } of state.difference) drawDifference(context, toDevice(state), mask, state.pixelRatio);
      context.setTransform(...Affine.scale(state.pixelRatio).toArray());
      if (state.cut) drawCut(context, state.toCanvas, state.cut);
      if (state.crosshair) drawCrosshair(context, state.toCanvas, state.crosshair);
      for (const click of state.clicks)
        drawClick(context, state.toCanvas.apply(centreOf(click)), click.positive, click.id === state.marked);
      for (const pin of state.pins) drawPin(context, state.toCanvas.apply(centreOf(voxel(pin.x, pin.y))), pin);
      drawHand(context, state);
    },
  );
}

type Hand = Pick<ViewState, "way" | "ruler" | "brush" | "grid" | "toCanvas">;

/** What the hand is doing. */
function drawHand(context: Context, { way, ruler, brush, grid, toCanvas }: Hand): void {
  if (way.length > 1) drawWay(context, toCanvas, way);
  if (ruler) drawRuler(context, toCanvas, grid, ruler);
  if (brush) drawBrush(context, toCanvas, grid, brush);
}

/** Foreground and background differ in sign as well as in colour. */
function drawClick(context: Context, { x, y }: { x: number; y: number }, positive: boolean, marked: boolean): void {
  const radius = marked ? CLICK_RADIUS + 1.5 : CLICK_RADIUS;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = positive ? COLOURS.foreground : COLOURS.background;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = marked ? COLOURS.marked : COLOURS.ink;
  context.stroke();
  context.beginPath();
  context.moveTo(x - 3.5, y);
  context.lineTo(x + 3.5, y);
  if (positive) {
    context.moveTo(x, y - 3.5);
    context.lineTo(x, y + 3.5);
  }
  context.strokeStyle = COLOURS.ink;
  context.stroke();
}

/** A drop whose tip is on the voxel, with its number in it. */
function drawPin(context: Context, { x, y }: { x: number; y: number }, { text, isChosen, isResolved }: Pin): void {
  const radius = isChosen ? PIN_RADIUS + 2 : PIN_RADIUS;
  const middle = y - 1.6 * radius;
  context.beginPath();
  context.arc(x, middle, radius, 0.75 * Math.PI, 0.25 * Math.PI);
  context.lineTo(x, y);
  context.closePath();
  context.fillStyle = isResolved ? COLOURS.resolved : COLOURS.pin;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = isChosen ? COLOURS.marked : COLOURS.ink;
  context.stroke();
  context.font = "700 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = COLOURS.ink;
  context.fillText(text, x, middle + 0.5);
  context.textAlign = "start";
  context.textBaseline = "alphabetic";
}

/** A white line in dashes on a dark one: no label has it. */
function drawDifference(context: Context, transform: Affine, mask: Mask, pixelRatio: number): void {
  const edges = [...outline(mask)];
  for (const [path, colour, width] of [
    [edges, COLOURS.ink, 3.5],
    [dashed(edges), COLOURS.marked, 2],
  ] as const) {
    tracePath(context, transform, path);
    context.lineWidth = width * pixelRatio;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** Light on dark, so that it is seen on every grey. */
function strokeTwice(context: Context, colour: string): void {
  for (const [width, style] of [
    [3, COLOURS.ink],
    [1.25, colour],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
}

function drawWay(context: Context, toCanvas: Affine, way: readonly ImagePoint[]): void {
  context.beginPath();
  for (const at of way) {
    const { x, y } = toCanvas.apply(at);
    context.lineTo(x, y);
  }
  context.closePath();
  strokeTwice(context, COLOURS.marked);
}

function drawRuler(context: Context, toCanvas: Affine, grid: Grid, { from, to }: Ruler): void {
  const [a, b] = [toCanvas.apply(from), toCanvas.apply(to)];
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [nx, ny] = [(-(b.y - a.y) / length) * 6, ((b.x - a.x) / length) * 6];
  context.beginPath();
  for (const end of [a, b]) {
    context.moveTo(end.x - nx, end.y - ny);
    context.lineTo(end.x + nx, end.y + ny);
  }
  context.moveTo(a.x, a.y);
  context.lineTo(b.x, b.y);
  strokeTwice(context, COLOURS.crosshair);
  const text = `${decimal(lengthMm(grid, from, to), 1)} mm`;
  context.font = "600 13px system-ui, sans-serif";
  context.lineWidth = 4;
  context.strokeStyle = COLOURS.ink;
  context.strokeText(text, b.x + 10, b.y - 8);
  context.fillStyle = COLOURS.crosshair;
  context.fillText(text, b.x + 10, b.y - 8);
}

function drawBrush(context: Context, toCanvas: Affine, grid: Grid, { at, radiusMm, erases }: Brush): void {
  const { x, y } = toCanvas.apply(at);
  context.beginPath();
  context.ellipse(
    x,
    y,
    (toCanvas.a * radiusMm) / grid.columnMm,
    (toCanvas.d * radiusMm) / grid.rowMm,
    0,
    0,
    2 * Math.PI,
  );
  strokeTwice(context, erases ? COLOURS.background : COLOURS.foreground);
}

/** Long lines with a gap, and the voxel itself as a box, so that nothing covers what is aimed at. */
function drawCrosshair(context: Context, toCanvas: Affine, at: Voxel): void {
  const [corner, far] = [toCanvas.apply(at), toCanvas.apply({ x: at.x + 1, y: at.y + 1 })];
  linesThrough(context, toCanvas, at);
  context.rect(corner.x, corner.y, far.x - corner.x, far.y - corner.y);
  context.lineWidth = 1.25;
  context.strokeStyle = COLOURS.crosshair;
  context.stroke();
}

/** Fainter than the crosshair, which it gives way to: it is looked past, not aimed with. */
function drawCut(context: Context, toCanvas: Affine, at: Voxel): void {
  linesThrough(context, toCanvas, at);
  context.lineWidth = 1;
  context.strokeStyle = COLOURS.cut;
  context.globalAlpha = 0.7;
  context.stroke();
  context.globalAlpha = 1;
}

function linesThrough(context: Context, toCanvas: Affine, at: Voxel): void {
  const { x, y } = toCanvas.apply(centreOf(at));
  const gap = 14;
  const reach = 1e4;
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(x + side * gap, y);
    context.lineTo(x + side * reach, y);
    context.moveTo(x, y + side * gap);
    context.lineTo(x, y + side * reach);
  }
}
