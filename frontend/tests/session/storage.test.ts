import { beforeEach, describe, expect, it } from "vitest";
import type { Interaction } from "../../src/session/clicks";
import { openOutbox } from "../../src/session/storage";

class MemoryStorage implements Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  [name: string]: unknown;
  getItem = (name: string) => (Object.hasOwn(this, name) ? String(this[name]) : null);
  setItem = (name: string, value: string) => {
    this[name] = value;
  };
  removeItem = (name: string) => {
    delete this[name];
  };
}

/** Web Locks, as far as tabs that live and die need them. */
class FakeLocks {
  readonly held = new Set<string>();
  request = async (name: string, ...rest: unknown[]) => {
    const run = rest.at(-1) as (lock: object | null) => unknown;
    if (this.held.has(name)) return run(null);
    if (rest.length > 1) return run({});
    this.held.add(name);
    return undefined;
  };
}

const add = (sequence: number, x: number): Interaction => ({
  type: "add_click",
  sequence,
  label: 1,
  z: 1,
  y: 1,
  x,
  positive: true,
});

describe("the outbox in the browser's storage", () => {
  let storage: Storage;
  let locks: LockManager;
  beforeEach(() => {
    storage = new MemoryStorage() as unknown as Storage;
    locks = new FakeLocks() as unknown as LockManager;
  });
  const closeTabs = () => (locks as unknown as FakeLocks).held.clear();

  it("is adopted from a tab that is gone", async () => {
    const first = await openOutbox(12, storage, locks);
    first.save({ entries: [add(5, 1), add(6, 2)], firstSent: true });
    closeTabs();
    const second = await openOutbox(12, storage, locks);
    expect(second.load()).toEqual({ entries: [add(5, 1), add(6, 2)], firstSent: true });
  });

  it("is not taken from a tab that is alive, nor from another assignment", async () => {
    (await openOutbox(12, storage, locks)).save({ entries: [add(5, 1)], firstSent: true });
    expect((await openOutbox(12, storage, locks)).load().entries).toEqual([]);
    closeTabs();
    expect((await openOutbox(1, storage, locks)).load().entries).toEqual([]);
  });

  it("of two tabs that are gone is joined under numbers of its own", async () => {
    const [a, b] = [await openOutbox(12, storage, locks), await openOutbox(12, storage, locks)];
    a.save({ entries: [add(5, 1)], firstSent: false });
    b.save({ entries: [add(5, 2), { type: "move_click", sequence: 6, click: 5, y: 0, x: 0 }], firstSent: false });
    closeTabs();
    const { entries } = (await openOutbox(12, storage, locks)).load();
    expect(entries.map((entry) => entry.sequence)).toEqual([5, 6, 7]);
    const move = entries.find((entry) => entry.type === "move_click");
    const placed = entries.find((entry) => entry.sequence === (move && "click" in move ? move.click : 0));
    expect(placed).toMatchObject({ type: "add_click", x: 2 });
  });

  it("is gone once everything is acknowledged", async () => {
    const first = await openOutbox(12, storage, locks);
    first.save({ entries: [add(5, 1)], firstSent: true });
    closeTabs();
    const second = await openOutbox(12, storage, locks);
    second.save({ entries: [], firstSent: false });
    closeTabs();
    expect((await openOutbox(12, storage, locks)).load().entries).toEqual([]);
  });

  it("written by another version of the page is left alone", async () => {
    storage.setItem("annotator.outbox.12.old", JSON.stringify({ firstSent: true, frames: ['{"type":"stroke"}'] }));
    expect((await openOutbox(12, storage, locks)).load().entries).toEqual([]);
  });

  it("that cannot be written does not stop the work", async () => {
    const outbox = await openOutbox(12, storage, undefined);
    storage.setItem = () => {
      throw new Error("full");
    };
    expect(() => outbox.save({ entries: [add(5, 1)], firstSent: true })).not.toThrow();
  });
});
