import { describe, expect, it } from "vitest";
import { neighbours, overview, SliceCache } from "../../src/viewer/slices";

interface Load {
  readonly z: number;
  readonly signal: AbortSignal;
  readonly finish: () => Promise<void>;
  readonly fail: () => Promise<void>;
}

function newCache({ depth = 100, capacity = 50 } = {}) {
  const loads: Load[] = [];
  const loaded: number[] = [];
  const failed: number[] = [];
  const settled = async (run: () => void) => {
    run();
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  const load = (z: number, signal: AbortSignal) =>
    new Promise<Int16Array>((resolve, reject) => {
      const finish = () => settled(() => resolve(Int16Array.of(z)));
      const fail = () => settled(() => reject(new Error("no")));
      loads.push({ z, signal, finish, fail });
    });
  const cache = new SliceCache({
    depth,
    load,
    onLoaded: (z) => loaded.push(z),
    onFailed: (z) => failed.push(z),
    capacity,
  });
  const open = () => loads.filter(({ signal }) => !signal.aborted).map(({ z }) => z);
  return { cache, loads, loaded, failed, open, load: (z: number) => loads.findLast((load) => load.z === z) as Load };
}

describe("the slice cache", () => {
  it("fetches the slice that is looked at first, then its neighbours, three at once", async () => {
    const { cache, open, load } = newCache();
    cache.look(10);
    expect(open()).toEqual([10, 11, 9]);
    await load(10).finish();
    expect(cache.get(10)).toEqual(Int16Array.of(10));
    expect(open()).toEqual([10, 11, 9, 12]);
  });

  it("gives up what is no longer near, and starts the urgent one at once", () => {
    const { cache, loads, load } = newCache();
    cache.look(10);
    cache.look(60);
    expect([10, 11, 9].map((z) => load(z).signal.aborted)).toEqual([true, true, true]);
    expect(loads[3]?.z).toBe(60);
  });

  it("looks further ahead in the direction of travel", () => {
    expect(neighbours(10, 1, 100)).toEqual([10, 11, 9, 12, 8, 13, 14, 15, 16]);
    expect(neighbours(10, -1, 100)).toEqual([10, 9, 11, 8, 12, 7, 6, 5, 4]);
    expect(neighbours(0, -1, 3)).toEqual([0, 1, 2]);
  });

  it("does not take a slice that arrives after it was given up", async () => {
    const { cache, load, loaded } = newCache();
    cache.look(10);
    const late = load(10);
    cache.look(60);
    await late.finish();
    expect(cache.get(10)).toBeUndefined();
    expect(loaded).toEqual([]);
  });

  it("forgets the least recently used, never the one on screen", async () => {
    const { cache, load } = newCache({ capacity: 3 });
    cache.look(10);
    for (const z of [10, 11, 9, 12]) await load(z).finish();
    expect([9, 10, 11, 12].map((z) => cache.get(z) !== undefined)).toEqual([true, true, false, true]);
  });

  it("fetches what the planes across are made of after the neighbours, nearest first", async () => {
    const { cache, loads, load } = newCache();
    cache.look(50, [0, 20, 40, 60, 80]);
    for (const z of [50, 51, 49, 52, 48, 53, 54, 55, 56, 40, 60, 20, 80, 0]) await load(z).finish();
    expect(loads.map(({ z }) => z)).toEqual([50, 51, 49, 52, 48, 53, 54, 55, 56, 40, 60, 20, 80, 0]);
  });

  it("keeps what the planes are made of besides its capacity, until they are hidden", async () => {
    const { cache, load } = newCache({ capacity: 2 });
    const kept = () => Array.from({ length: 100 }, (_, z) => z).filter((z) => cache.get(z));
    cache.look(98, [0, 1, 2, 3]);
    for (const z of [98, 97, 99, 96, 3, 2, 1, 0]) await load(z).finish();
    expect(kept()).toEqual([0, 1, 2, 3, 96, 98]);
    cache.look(98);
    expect(kept()).toEqual([0, 98]);
  });

  it("does not go on fetching for the planes on a line that fails, until somebody looks again", async () => {
    const { cache, loads, load } = newCache();
    const all = Array.from({ length: 100 }, (_, z) => z);
    cache.look(98, all);
    for (const z of [98, 99, 97, 96]) await load(z).finish();
    await load(95).fail();
    await load(94).fail();
    await load(93).fail();
    const asked = loads.length;
    expect(loads.at(-1)?.z).toBe(93);
    cache.look(98, all);
    expect(loads.slice(asked).map(({ z }) => z)).toEqual([95, 94, 93]);
  });

  it("tells of a failure only where somebody is looking, and tries again when asked", async () => {
    const { cache, load, failed } = newCache();
    cache.look(10);
    await load(11).fail();
    expect(failed).toEqual([]);
    await load(10).fail();
    expect(failed).toEqual([10]);
    cache.look(10);
    await load(10).finish();
    expect(cache.get(10)).toBeDefined();
  });
});

describe("the overview of a volume", () => {
  it("is all of it where it fits, else every second or third slice", () => {
    expect(overview(5, 10, 50)).toEqual({ step: 1, slices: [0, 1, 2, 3, 4] });
    expect(overview(5, 10, 49)).toEqual({ step: 2, slices: [0, 2, 4] });
    expect(overview(7, 10, 24)).toEqual({ step: 3, slices: [0, 3, 6] });
  });

  it("of the largest series that can be imported, 2048 slices of 512 × 512, keeps half", () => {
    expect(overview(2048, 512 * 512 * 2, 512 * 2 ** 20).step).toBe(2);
  });
});
