import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clicksAt } from "../../src/session/clicks";
import { changedOf, Desk, FakeServer, type FakeSocket, MemoryMirror, PLACE } from "./fakes";

/** What happens between two clicks. */
type Weather =
  | "calm"
  | "link breaks"
  | "link breaks before the answer"
  | "tab is reloaded"
  | "another window clicks"
  | "another window is heard";
const weather = fc.constantFrom<Weather>(
  "calm",
  "link breaks",
  "link breaks before the answer",
  "tab is reloaded",
  "another window clicks",
  "another window is heard",
);

function attach(desk: Desk, server: FakeServer): { swallow: boolean } {
  const link = { swallow: false };
  const wire = (socket: FakeSocket) => {
    socket.onSent = (message) => {
      const answer = server.answer(message);
      if (answer && !link.swallow) socket.say(answer);
    };
  };
  desk.onSocket = wire;
  desk.sockets.forEach(wire);
  return link;
}

function workThrough(script: readonly Weather[]) {
  const server = new FakeServer();
  const mirror = new MemoryMirror();
  let desk = new Desk(mirror);
  let link = attach(desk, server);
  desk.socket.open();
  const breakLink = () => {
    desk.socket.fail();
    link.swallow = false;
  };
  const otherClicks = () =>
    server.log.push({ type: "add_click", sequence: server.log.length + 1, ...PLACE, y: 7, x: 7, positive: false });
  const act: Record<Weather, () => void> = {
    calm: () => desk.timers.pass(20_000),
    "link breaks": breakLink,
    "link breaks before the answer": () => {
      link.swallow = true;
    },
    "tab is reloaded": () => {
      desk = new Desk(mirror);
      link = attach(desk, server);
    },
    "another window clicks": () => otherClicks(),
    "another window is heard": () => {
      otherClicks();
      const since = server.log.length;
      const { socket } = desk;
      if (socket.of("hello").length && !link.swallow)
        socket.say(changedOf({ sequence: since, since, clicks: clicksAt(server.lists(), PLACE) }));
    },
  };
  script.forEach((change, i) => {
    act[change]();
    if (i % 2) desk.socket.open();
    desk.click(i % 8, Math.floor(i / 8));
    desk.session.keepMine();
  });
  breakLink();
  desk.timers.pass(20_000);
  desk.socket.open();
  desk.session.keepMine();
  return { server, desk };
}

describe("in any weather", () => {
  it("every click is stored exactly once and in order", () => {
    fc.assert(
      fc.property(fc.array(weather, { maxLength: 24 }), (script) => {
        const { server, desk } = workThrough(script);
        expect(desk.session.waiting.value).toEqual([]);
        const ours = clicksAt(server.lists(), PLACE).filter((click) => click.positive);
        expect(ours.map(({ y, x }) => [y, x])).toEqual(script.map((_, i) => [i % 8, Math.floor(i / 8)]));
        expect(desk.session.clicksOnScreen(PLACE)).toEqual(clicksAt(server.lists(), PLACE));
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});
