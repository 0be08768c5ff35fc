import { describe, expect, it, vi } from "vitest";
import { History, named, type Step, type Steps } from "../../src/desk/history";
import { area } from "../../src/protocol/mask";
import { Desk as FakeSession, maskOf, PLACE, storedOf } from "../session/fakes";

const click = (id: number, positive = true) => ({ id, y: id, x: id, positive });
const step = (sequence: number, given: Partial<Step> = {}): Step => ({
  sequence,
  kind: "add_click",
  tool: "",
  slice: { ...PLACE, base: 0, since: sequence, unconfirmed: false, clicks: [click(sequence)] },
  person: "maria",
  at: "2026-11-24T10:00:00Z",
  in_force: true,
  ...given,
});

function newHistory(steps: readonly Step[], more: Partial<Steps> = {}) {
  const fake = new FakeSession();
  const inForce = steps.filter(({ in_force }) => in_force).length;
  const load = vi.fn(async (_: number) => ({ steps, older: 0, in_force: inForce, ...more }));
  const history = new History(fake.session, load, fake.timers);
  const socket = fake.connect({ last_sequence: 9, can_undo: true, can_redo: true });
  return { fake, load, history, socket };
}

const opened = async (steps: readonly Step[], more: Partial<Steps> = {}) => {
  const made = newHistory(steps, more);
  made.history.isOpen.value = true;
  made.fake.timers.pass(300);
  await vi.waitFor(() => expect(made.history.listed.value.steps).toEqual(steps));
  return made;
};

describe("the list of steps", () => {
  it("is read only while somebody looks, and again after a new step", async () => {
    const { history, load, fake, socket } = newHistory([step(1)]);
    fake.timers.pass(300);
    expect(load).not.toHaveBeenCalled();
    history.isOpen.value = true;
    fake.timers.pass(300);
    expect(load).toHaveBeenCalledTimes(1);
    socket.say(storedOf({ sequence: 10 }));
    fake.timers.pass(300);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it("leads to any step by one undo or redo", async () => {
    const steps = [step(1), step(2), step(3, { in_force: false }), step(4, { in_force: false })];
    for (const [target, sent] of [
      [steps[0], { type: "undo", steps: 1 }],
      [undefined, { type: "undo", steps: 2 }],
      [steps[3], { type: "redo", steps: 2 }],
    ] as const) {
      const { history, socket } = await opened(steps);
      history.goTo(target);
      expect(socket.sent.at(-1)).toMatchObject(sent);
    }
  });

  it("does nothing for the step that is the last already", async () => {
    const { history, socket } = await opened([step(1), step(2)]);
    const before = socket.sent.length;
    history.goTo(history.listed.value.steps[1]);
    expect(socket.sent).toHaveLength(before);
  });

  it("is of the newest only, and still leads to any of them and to the very beginning", async () => {
    const steps = [step(9001), step(9002), step(9003, { in_force: false })];
    const listed = { older: 9000, in_force: 9002 };
    for (const [target, sent] of [
      [steps[0], { type: "undo", steps: 1 }],
      [steps[2], { type: "redo", steps: 1 }],
      [undefined, { type: "undo", steps: 9002 }],
    ] as const) {
      const { history, socket } = await opened(steps, listed);
      history.goTo(target);
      expect(socket.sent.at(-1)).toMatchObject(sent);
    }
  });

  it("gets longer when older steps are wanted, and stays so", async () => {
    const { history, load, fake, socket } = await opened([step(9)], { older: 8 });
    await history.showOlder();
    socket.say(storedOf({ sequence: 10 }));
    fake.timers.pass(300);
    expect(load.mock.calls).toEqual([[200], [400], [400]]);
  });

  it("names what was done", () => {
    expect(named(step(1))).toBe("Foreground click");
    expect(
      named(step(1, { slice: { ...PLACE, base: 0, since: 1, unconfirmed: false, clicks: [click(1, false)] } })),
    ).toBe("Background click");
    expect(named(step(1, { kind: "paint", tool: "grow" }))).toBe("Grown");
    expect(named(step(1, { kind: "move_click" }))).toBe("Click moved");
  });
});

describe("a replay", () => {
  const twoSteps = [
    step(1),
    step(2, { slice: { ...PLACE, base: 0, since: 2, unconfirmed: false, clicks: [click(1), click(2)] } }),
  ];

  it("shows the mask of every step of this slice, then the present one again", async () => {
    const elsewhere = step(3, { slice: { ...PLACE, z: 0, base: 0, since: 3, unconfirmed: false, clicks: [click(3)] } });
    const { history, fake, socket } = newHistory([...twoSteps, elsewhere]);
    socket.answer({ ...PLACE, number: 9, mask: maskOf(9) });
    await history.replay(PLACE);
    expect(socket.of("preview")).toMatchObject([{ request: 1, clicks: [{ y: 1 }] }]);
    socket.answer({ ...PLACE, kind: "preview", number: 1, mask: maskOf(1) });
    const shown = () => area(fake.session.masks.at(PLACE) ?? maskOf(0));
    expect(shown()).toBe(1);
    fake.timers.pass(700);
    expect(socket.of("preview")[1]?.clicks).toHaveLength(2);
    fake.timers.pass(700);
    expect(history.replayed.value).toBeUndefined();
    expect(shown()).toBe(9);
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello", "preview", "preview"]);
  });

  it("can be stopped", async () => {
    const { history, fake } = newHistory(twoSteps);
    await history.replay(PLACE);
    expect(history.replayed.value?.sequence).toBe(1);
    history.stop();
    fake.timers.pass(2000);
    expect(history.replayed.value).toBeUndefined();
  });

  it("of a slice where nothing was done says so", async () => {
    const { history, fake } = newHistory([]);
    await history.replay(PLACE);
    expect(fake.session.notices.list.value[0]?.text).toBe("Nothing was done here yet.");
  });
});
