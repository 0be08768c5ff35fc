/** A slice or another plane: four canvases in a host element, drawn once per frame at most, and only where something changed. */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import {
  Affine,
  type CanvasPoint,
  canvasPoint,
  centreOf,
  fitted,
  type Grid,
  type ImagePoint,
  imageAt,
  imageToCanvas,
  mouseOver,
  nearestVoxel,
  pan,
  type Size,
  type Viewport,
  type Voxel,
  voxelAt,
  zoomAround,
} from "./geometry";
import { guideLayer } from "./guides";
import { imageLayer, type LabelMask, type Layer, maskLayer, overlayLayer, type ViewState } from "./layers";
import { lookupTable } from "./window";

interface Sheet {
  readonly layer: Layer;
  readonly canvas: HTMLCanvasElement;
  isStale: boolean;
}

export class Viewer {
  readonly host: HTMLElement;
  private readonly grid: Grid;
  private readonly sheets: readonly Sheet[];
  private readonly size = signal<Size>({ width: 1, height: 1 });
  private readonly view: Signal<Viewport>;
  private state: ViewState;
  private isFitted = true;
  private frame = 0;

  constructor(host: HTMLElement, grid: Grid, onMasksPainted: (masks: readonly LabelMask[]) => void) {
    this.host = host;
    this.grid = grid;
    this.view = signal(fitted(grid, this.size.value));
    this.state = initialState(grid);
    this.sheets = [imageLayer(), maskLayer(onMasksPainted), guideLayer(), overlayLayer()].map((layer) =>
      newSheet(host, layer),
    );
    new ResizeObserver(() => this.resize()).observe(host);
    window.addEventListener("resize", () => this.resize()); // another pixel ratio: the page was zoomed or moved to another screen
    this.resize();
  }

  get viewport(): ReadonlySignal<Viewport> {
    return this.view;
  }

  /** Takes new state; layers that read what changed are drawn with the next frame. */
  set(patch: Partial<ViewState>): void {
    const changed = (Object.keys(patch) as (keyof ViewState)[]).filter((name) => patch[name] !== this.state[name]);
    if (changed.length === 0) return;
    this.state = { ...this.state, ...patch };
    for (const sheet of this.sheets) sheet.isStale ||= sheet.layer.reads.some((name) => changed.includes(name));
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  // ------------------------------------------------------------------------------------------ points

  voxelAt(point: CanvasPoint): Voxel | undefined {
    return voxelAt(point, this.state.toCanvas, this.grid, this.state.pixelRatio);
  }

  /** The point of the image under a pointer, inside or outside of it. */
  imageAt(point: CanvasPoint): ImagePoint {
    return imageAt(point, this.state.toCanvas, this.state.pixelRatio);
  }

  nearestVoxel(point: CanvasPoint): Voxel {
    return nearestVoxel(point, this.state.toCanvas, this.grid, this.state.pixelRatio);
  }

  toCanvas(at: Voxel): CanvasPoint {
    const { x, y } = this.state.toCanvas.apply(centreOf(at));
    return canvasPoint(x, y);
  }

  /** Client coordinates at which a mouse points at a voxel's centre. */
  toClient(at: Voxel): { x: number; y: number } {
    const { left, top } = this.host.getBoundingClientRect();
    return mouseOver(at, this.state.toCanvas, { x: left, y: top }, this.state.pixelRatio);
  }

  // ------------------------------------------------------------------------------------------ viewport

  fit(): void {
    this.isFitted = true;
    this.show(fitted(this.grid, this.size.value));
  }

  zoom(factor: number, at?: CanvasPoint): void {
    const { width, height } = this.size.value;
    this.isFitted = false;
    this.show(
      zoomAround(this.view.value, factor, at ?? canvasPoint(width / 2, height / 2), this.grid, this.size.value),
    );
  }

  pan(dx: number, dy: number): void {
    this.isFitted = false;
    this.show(pan(this.view.value, dx, dy, this.grid));
  }

  /** Brings a voxel into view where it is not, so that a crosshair cannot be lost. */
  reveal(at: Voxel): void {
    const { x, y } = this.toCanvas(at);
    const { width, height } = this.size.value;
    if (x < 0 || y < 0 || x > width || y > height) this.pan(width / 2 - x, height / 2 - y);
  }

  private show(view: Viewport): void {
    this.view.value = view;
    this.set({ toCanvas: imageToCanvas(view, this.grid, this.size.value) });
  }

  private resize(): void {
    const { width, height } = this.host.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    const pixelRatio = window.devicePixelRatio || 1;
    for (const { canvas } of this.sheets) {
      canvas.width = Math.round(width * pixelRatio);
      canvas.height = Math.round(height * pixelRatio);
    }
    batch(() => {
      this.size.value = { width, height };
      this.show(this.isFitted ? fitted(this.grid, { width, height }) : this.view.value);
    });
    this.set({ pixelRatio });
    this.redraw();
  }

  /** Resizing has emptied the canvases: draw now, not a frame later, so that nothing flickers. */
  private redraw(): void {
    for (const sheet of this.sheets) sheet.isStale = true;
    this.draw();
  }

  /** Draws what has changed now rather than with the next frame. */
  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    for (const sheet of this.sheets) {
      const context = sheet.isStale && sheet.canvas.getContext("2d");
      sheet.isStale = false;
      if (context) sheet.layer.draw(context, this.state);
    }
  }
}

function newSheet(host: HTMLElement, layer: Layer): Sheet {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  host.append(canvas);
  return { layer, canvas, isStale: true };
}

function initialState(grid: Grid): ViewState {
  return {
    grid,
    slice: undefined,
    table: lookupTable({ width: 400, level: 40 }),
    smooth: true,
    toCanvas: Affine.scale(1),
    pixelRatio: 1,
    masks: [],
    opacity: 0.35,
    outlined: true,
    guides: [],
    clicks: [],
    marked: undefined,
    crosshair: undefined,
    cut: undefined,
    brush: undefined,
    way: [],
    ruler: undefined,
    pins: [],
    difference: [],
  };
}
