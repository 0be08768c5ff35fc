/** Mouse, pen and touch turned into what the person means. Moves are passed on once per frame. */
import { type CanvasPoint, canvasPoint, distance } from "./geometry";

export interface PointerActions {
  press(at: CanvasPoint, background: boolean): void;
  drag(at: CanvasPoint): void;
  release(): void;
  cancel(): void;
  remove(at: CanvasPoint): void;
  hover(at: CanvasPoint | undefined, shift: boolean): void;
  changeWindow(dx: number, dy: number): void;
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: CanvasPoint): void;
  scroll(slices: number): void;
  /** What the left button does, a finger and a pen likewise. */
  tool(): "click" | "paint" | "ruler" | "window" | "navigate";
}

type Mode = "idle" | "click" | "window" | "pan" | "pinch";

const NOTCH = 100;
const TOUCHPAD_STEP = 50;
const LINE = 40;
const MIDDLE = 1;
const RIGHT = 2;
const ERASER = 5; // the other end of a pen

export class PointerInput {
  private readonly host: HTMLElement;
  private readonly actions: PointerActions;
  private mode: Mode = "idle";
  private pointer = -1;
  private last = canvasPoint(0, 0);
  private pending: PointerEvent | undefined;
  private wheel = 0;
  private isSpaceDown = false;
  /** A pen hovers or draws: what touches the screen then is the hand that holds it. */
  private isPenNear = false;
  /** Fingers that count. */
  private readonly touches = new Map<number, CanvasPoint>();

  constructor(host: HTMLElement, actions: PointerActions) {
    this.host = host;
    this.actions = actions;
    host.addEventListener("pointerdown", (event) => this.down(event));
    host.addEventListener("pointermove", (event) => this.move(event));
    host.addEventListener("pointerup", (event) => this.up(event));
    host.addEventListener("pointercancel", (event) => this.lose(event));
    host.addEventListener("pointerleave", (event) => this.leave(event));
    host.addEventListener("contextmenu", (event) => event.preventDefault());
    host.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    window.addEventListener("blur", () => this.abandon());
    window.addEventListener("keydown", (event) => this.setSpace(event, true));
    window.addEventListener("keyup", (event) => this.setSpace(event, false));
  }

  /** Gives up what the pointer is doing, as Escape does; the button may still be down. */
  abandon(): void {
    if (this.mode === "click") this.actions.cancel();
    this.mode = "idle";
    this.pending = undefined;
    this.isSpaceDown = false;
    this.touches.clear();
  }

  private down(event: PointerEvent): void {
    const at = this.pointOf(event);
    this.noticePen(event);
    if (event.pointerType === "touch" && !this.takesTouches) return;
    if (event.pointerType === "touch") this.touches.set(event.pointerId, at);
    if (this.touches.size === 2) return this.startPinch();
    if (this.mode !== "idle") return;
    event.preventDefault();
    this.host.focus({ preventScroll: true });
    this.host.setPointerCapture(event.pointerId);
    [this.pointer, this.last] = [event.pointerId, at];
    this.begin(event, at);
  }

  /** Whatever the hand did before the pen came is given up. */
  private noticePen({ pointerType }: PointerEvent): void {
    if (pointerType !== "pen" || this.isPenNear) return;
    if (this.touches.size) this.abandon();
    this.isPenNear = true;
  }

  private get takesTouches(): boolean {
    return !this.isPenNear && (this.mode === "idle" || this.touches.size > 0);
  }

  private isIgnored({ pointerType, pointerId }: PointerEvent): boolean {
    return pointerType === "touch" && !this.touches.has(pointerId);
  }

  private begin(event: PointerEvent, at: CanvasPoint): void {
    this.mode = this.modeOf(event);
    if (this.mode !== "click") return;
    if (event.shiftKey && this.actions.tool() === "click") {
      this.mode = "idle";
      this.actions.remove(at);
    } else {
      this.actions.press(at, takesAway(event) || event.altKey);
    }
  }

  private modeOf(event: PointerEvent): Mode {
    if (event.button === MIDDLE || this.isSpaceDown) return "pan";
    if (takesAway(event)) return "click";
    return event.ctrlKey || event.metaKey || this.actions.tool() === "window" ? "window" : "click";
  }

  private startPinch(): void {
    if (this.mode === "click") this.actions.cancel();
    this.pending = undefined;
    this.mode = "pinch";
  }

  private move(event: PointerEvent): void {
    this.noticePen(event);
    if (this.isIgnored(event)) return;
    if (this.mode === "pinch") return this.pinch(event);
    if (this.mode !== "idle" && event.pointerId !== this.pointer) return;
    if (!this.pending) requestAnimationFrame(() => this.deliver());
    this.pending = event;
  }

  private deliver(): void {
    const event = this.pending;
    this.pending = undefined;
    if (event) this.moved(event);
  }

  private moved(event: PointerEvent): void {
    const at = this.pointOf(event);
    const [dx, dy] = [at.x - this.last.x, at.y - this.last.y];
    this.last = at;
    if (this.mode === "click") this.actions.drag(at);
    else if (this.mode === "window") this.actions.changeWindow(dx, dy);
    else if (this.mode === "pan") this.actions.pan(dx, dy);
    else this.actions.hover(at, event.shiftKey);
  }

  private up(event: PointerEvent): void {
    if (this.isIgnored(event)) return;
    this.touches.delete(event.pointerId);
    if (this.mode === "pinch") return this.touches.size ? undefined : this.abandon();
    if (event.pointerId !== this.pointer || this.mode === "idle") return;
    this.pending = undefined;
    this.moved(event); // the release says where it ends, not the last frame
    if (this.mode === "click") this.actions.release();
    this.mode = "idle";
  }

  private pinch(event: PointerEvent): void {
    if (!this.touches.has(event.pointerId)) return;
    const before = [...this.touches.values()];
    this.touches.set(event.pointerId, this.pointOf(event));
    const after = [...this.touches.values()];
    const [from, to] = [middle(before), middle(after)];
    this.actions.pan(to.x - from.x, to.y - from.y);
    this.actions.zoom(spread(after) / spread(before), to);
  }

  private turn(event: WheelEvent): void {
    event.preventDefault();
    if (this.mode === "click") return; // the slice must not change under a click that is held
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    if (event.ctrlKey || event.metaKey) this.actions.zoom(Math.exp(-pixels / 400), this.pointOf(event));
    else this.turnSlices(pixels);
  }

  /** A notch of a mouse is one slice; the small steps of a touchpad add up to one. */
  private turnSlices(pixels: number): void {
    const isNotch = Math.abs(pixels) >= NOTCH;
    this.wheel = isNotch ? pixels : this.wheel + pixels;
    const slices = Math.trunc(this.wheel / (isNotch ? NOTCH : TOUCHPAD_STEP));
    this.wheel = isNotch ? 0 : this.wheel - slices * TOUCHPAD_STEP;
    if (slices) this.actions.scroll(-slices);
  }

  /** The system has taken the pointer away; that of a hand beside the pen says nothing about the pen. */
  private lose(event: PointerEvent): void {
    if (event.pointerType === "pen") this.isPenNear = false;
    if (event.pointerId === this.pointer || this.touches.has(event.pointerId)) this.abandon();
  }

  private leave({ pointerType }: PointerEvent): void {
    if (pointerType === "touch" && this.isPenNear) return;
    if (pointerType === "pen") this.isPenNear = false;
    if (this.mode !== "idle") return;
    this.pending = undefined;
    this.actions.hover(undefined, false);
  }

  private setSpace(event: KeyboardEvent, isDown: boolean): void {
    if (event.code !== "Space" || (isDown ? document.activeElement !== this.host : !this.isSpaceDown)) return;
    event.preventDefault();
    this.isSpaceDown = isDown;
    this.host.classList.toggle("is-panning", isDown);
  }

  private pointOf(event: MouseEvent): CanvasPoint {
    const { left, top } = this.host.getBoundingClientRect();
    return canvasPoint(event.clientX - left, event.clientY - top);
  }
}

const takesAway = ({ button }: PointerEvent): boolean => button === RIGHT || button === ERASER;

const middle = (points: readonly CanvasPoint[]) =>
  canvasPoint(
    points.reduce((sum, p) => sum + p.x, 0) / points.length,
    points.reduce((sum, p) => sum + p.y, 0) / points.length,
  );

const spread = ([a, b]: readonly CanvasPoint[]) => (a && b ? Math.max(distance(a, b), 1) : 1);
