/** The person's own hand: brush, lasso and what is done to a whole mask. Each stroke is one interaction and one undo step. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { grown, holesFilled, largestPiece, shrunk } from "../paint/morphology";
import { sameMask } from "../paint/combine";
import { type Pixels, paintLine, paintPolygon } from "../paint/strokes";
import { emptyMask, fromPixels, type Mask, toPixels } from "../protocol/mask";
import type { Place } from "../session/place";
import type { Session } from "../session/session";
import type { Grid, ImagePoint } from "../viewer/geometry";
import type { Choice } from "./adjudication";
import { erase } from "./overlap";

export const PAINT_TOOLS = ["brush", "eraser", "lasso", "threshold"] as const;
export type PaintTool = (typeof PAINT_TOOLS)[number];
export type WholeTool = "fill" | "largest" | "grow" | "shrink" | "clear";

/** Hounsfield units, both ends included. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What painting needs to know of the slice on screen. */
export interface Ground {
  /** Hounsfield units. */
  readonly valueAt: (index: number) => number | undefined;
  /** What a label has of a slice. */
  readonly maskAt: (place: Place) => Mask | undefined;
  /** The masks that a label's may not take a voxel of. */
  readonly barredAt: (place: Place) => readonly Mask[];
}

export interface PaintPreferences {
  readonly brushMm: Signal<number>;
  readonly range: Signal<Range>;
}

interface Stroke {
  readonly place: Place;
  readonly tool: PaintTool;
  readonly erases: boolean;
  readonly before: Mask;
  /** What `before` came from. */
  readonly since: number | undefined;
  readonly pixels: Pixels;
  readonly way: readonly ImagePoint[];
}

const RADII_MM = [0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 14, 20, 30];
const STEP_MM = 1;

export class Painting {
  /** The stroke under way. */
  readonly stroke = signal<Stroke | undefined>(undefined);
  /** The line of a lasso under way. */
  readonly way: ReadonlySignal<readonly ImagePoint[]>;
  private readonly session: Session;
  private readonly grid: Grid;
  private readonly preferences: PaintPreferences;
  private readonly ground: Ground;

  constructor(session: Session, grid: Grid, preferences: PaintPreferences, ground: Ground) {
    [this.session, this.grid, this.preferences, this.ground] = [session, grid, preferences, ground];
    this.way = computed(() => (this.stroke.value?.tool === "lasso" ? this.stroke.value.way : NO_WAY));
  }

  // ------------------------------------------------------------------------------------------ strokes

  /** `inverted` makes the brush an eraser and the eraser a brush; a lasso then cuts out. */
  begin(place: Place, tool: PaintTool, at: ImagePoint, inverted: boolean): void {
    this.cancel();
    this.session.cancelHold();
    const before = this.maskAt(place);
    const erases = (tool === "eraser") !== inverted;
    const since = this.session.sinceAt(place);
    this.stroke.value = { place, tool, erases, before, since, pixels: toPixels(before), way: [at] };
    this.extend(at);
  }

  extend(at: ImagePoint): void {
    const stroke = this.stroke.value;
    if (!stroke) return;
    const from = stroke.way.at(-1) as ImagePoint;
    this.stroke.value = { ...stroke, way: stroke.tool === "lasso" ? [...stroke.way, at] : [at] };
    if (stroke.tool === "lasso") return;
    const { low, high } = this.preferences.range.value;
    const isInRange = (index: number) => {
      const value = this.ground.valueAt(index);
      return value !== undefined && value >= low && value <= high;
    };
    const allowed = stroke.tool === "threshold" ? isInRange : undefined;
    paintLine(stroke.pixels, this.grid, from, at, this.preferences.brushMm.value, stroke.erases ? 0 : 1, allowed);
    this.session.masks.showLive(stroke.place, this.toMask(stroke.pixels, stroke.place));
  }

  end(): void {
    const stroke = this.stroke.value;
    if (!stroke) return;
    if (stroke.tool === "lasso") paintPolygon(stroke.pixels, this.grid, stroke.way, stroke.erases ? 0 : 1);
    this.stroke.value = undefined;
    this.keep(stroke.place, stroke.tool, stroke.before, this.toMask(stroke.pixels, stroke.place), stroke.since);
  }

  cancel(): void {
    const stroke = this.stroke.value;
    if (!stroke) return;
    this.stroke.value = undefined;
    this.session.masks.dropLive(stroke.place);
  }

  widen(direction: 1 | -1): void {
    const { brushMm } = this.preferences;
    const next = direction > 0 ? RADII_MM.find((r) => r > brushMm.value) : RADII_MM.findLast((r) => r < brushMm.value);
    brushMm.value = next ?? brushMm.value;
  }

  // ------------------------------------------------------------------------------------------ whole masks

  apply(place: Place, tool: WholeTool): boolean {
    const before = this.maskAt(place);
    return this.keep(
      place,
      tool,
      before,
      tool === "clear" ? this.nothing() : this.toMask(this.changed(before, tool), place),
    );
  }

  /** Takes over the mask of another slice. */
  copy(place: Place, from: Place): boolean {
    return this.keep(place, "copy", this.maskAt(place), this.toMask(toPixels(this.maskAt(from)), place));
  }

  /** Takes over a mask from elsewhere, without what it may not take; stored even where it is what was there: a decision. */
  take(place: Place, mask: Mask, tool: Choice): void {
    this.session.paint(place, tool, this.toMask(toPixels(mask), place));
  }

  private changed(mask: Mask, tool: Exclude<WholeTool, "clear">): Pixels {
    const pixels = toPixels(mask);
    switch (tool) {
      case "fill":
        return holesFilled(pixels, this.grid);
      case "largest":
        return largestPiece(pixels, this.grid);
      case "grow":
        return grown(pixels, this.grid, STEP_MM);
      case "shrink":
        return shrunk(pixels, this.grid, STEP_MM);
    }
  }

  /** Stores a mask where it differs from what was there; false where it does not. */
  private keep(place: Place, tool: PaintTool | WholeTool | "copy", before: Mask, after: Mask, since?: number): boolean {
    if (sameMask(before, after)) {
      this.session.masks.dropLive(place);
      return false;
    }
    this.session.paint(place, tool, after, since);
    return true;
  }

  private maskAt(place: Place): Mask {
    return this.ground.maskAt(place) ?? this.nothing();
  }

  private nothing(): Mask {
    return emptyMask(this.grid.rows, this.grid.columns);
  }

  /** The pixels as a mask of this place: without what it may not take. */
  private toMask(pixels: Pixels, place: Place): Mask {
    for (const mask of this.ground.barredAt(place)) erase(pixels, mask);
    return fromPixels(pixels, this.grid.rows, this.grid.columns);
  }
}

const NO_WAY: readonly ImagePoint[] = [];
