/**
 * Slices of int16 Hounsfield units: fetched when looked at, neighbours ahead of time, the least recently used forgotten;
 * and those that the planes across are made of, fetched after all others and kept for as long as the planes are shown.
 */

export type LoadSlice = (z: number, signal: AbortSignal) => Promise<Int16Array>;

export interface SliceCacheOptions {
  readonly depth: number;
  readonly load: LoadSlice;
  readonly onLoaded: (z: number) => void;
  readonly onFailed: (z: number) => void;
  /** Slices to keep, besides those of the planes across. */
  readonly capacity: number;
}

/** Ahead in the direction of travel, and behind. */
const AHEAD = 6;
const BEHIND = 2;
const AT_ONCE = 3;

export class SliceCache {
  private readonly options: SliceCacheOptions;
  private readonly slices = new Map<number, Int16Array>(); // in order of use, the least recent first
  private readonly loading = new Map<number, AbortController>();
  private wanted: readonly number[] = [];
  private across: ReadonlySet<number> = new Set();
  private z = 0;
  private direction = 1;

  constructor(options: SliceCacheOptions) {
    this.options = options;
  }

  get(z: number): Int16Array | undefined {
    return this.slices.get(z);
  }

  /**
   * Makes `z` the slice that is looked at: it comes first, then its neighbours, then the slices `across`, nearest first;
   * what was wanted before is given up.
   */
  look(z: number, across: readonly number[] = []): void {
    if (z !== this.z) this.direction = Math.sign(z - this.z);
    this.z = z;
    this.across = new Set(across);
    this.touch(z);
    this.forget();
    const nearestFirst = [...across].sort((a, b) => Math.abs(a - z) - Math.abs(b - z));
    const all = new Set([...neighbours(z, this.direction, this.options.depth), ...nearestFirst]);
    this.wanted = [...all].filter((other) => !this.slices.has(other));
    for (const [other, abort] of this.loading) if (!this.wanted.includes(other)) this.giveUp(other, abort);
    this.loadNext();
  }

  private giveUp(z: number, abort: AbortController): void {
    this.loading.delete(z);
    abort.abort();
  }

  private loadNext(): void {
    const next = this.wanted.find((z) => !this.loading.has(z));
    if (next === undefined) return;
    const isUrgent = next === this.z;
    if (!isUrgent && this.loading.size >= AT_ONCE) return;
    void this.fetch(next);
    this.loadNext();
  }

  private async fetch(z: number): Promise<void> {
    const abort = new AbortController();
    this.loading.set(z, abort);
    try {
      const slice = await this.options.load(z, abort.signal);
      if (abort.signal.aborted) return;
      this.keep(z, slice);
    } catch {
      if (abort.signal.aborted) return;
      this.fail(z);
    }
    this.loadNext();
  }

  private keep(z: number, slice: Int16Array): void {
    this.done(z);
    this.slices.set(z, slice);
    this.touch(this.z);
    this.forget();
    this.options.onLoaded(z);
  }

  private forget(): void {
    const others = [...this.slices.keys()].filter((z) => !this.across.has(z));
    for (const oldest of others.slice(0, Math.max(others.length - this.options.capacity, 0)))
      this.slices.delete(oldest);
  }

  /** What the planes want waits for the next look then: hundreds of slices would fail one after the other. */
  private fail(z: number): void {
    this.done(z);
    const near = neighbours(this.z, this.direction, this.options.depth);
    this.wanted = this.wanted.filter((other) => near.includes(other));
    if (z === this.z) this.options.onFailed(z);
  }

  private done(z: number): void {
    this.loading.delete(z);
    this.wanted = this.wanted.filter((other) => other !== z);
  }

  private touch(z: number): void {
    const slice = this.slices.get(z);
    if (!slice) return;
    this.slices.delete(z);
    this.slices.set(z, slice);
  }
}

/** `z` itself, then its neighbours, nearest first. */
export function neighbours(z: number, direction: number, depth: number): number[] {
  const steps = [0];
  for (let i = 1; i <= AHEAD; i++) {
    steps.push(i * direction);
    if (i <= BEHIND) steps.push(-i * direction);
  }
  return steps.map((step) => z + step).filter((other) => other >= 0 && other < depth);
}

/** Every `step`th slice, so few that they take up no more than `bytes`. */
export interface Overview {
  readonly step: number;
  readonly slices: readonly number[];
}

export function overview(depth: number, bytesPerSlice: number, bytes: number): Overview {
  const step = Math.ceil((depth * bytesPerSlice) / bytes);
  return { step, slices: Array.from({ length: Math.ceil(depth / step) }, (_, i) => i * step) };
}

/** Fetches slices of `rows`×`columns` voxels from a template such as `/api/series/…/slices/{z}`. */
export function sliceLoader(template: string, rows: number, columns: number): LoadSlice {
  return async (z, signal) => {
    const response = await fetch(template.replace("{z}", String(z)), { signal });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const bytes = await response.arrayBuffer();
    if (bytes.byteLength !== rows * columns * 2) throw new Error("The slice is not as large as the series says.");
    return new Int16Array(bytes);
  };
}
