// @vitest-environment happy-dom
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { signal } from "@preact/signals-core";
import { act } from "preact/test-utils";
import { beforeAll, describe, expect, it } from "vitest";
import type { Reading } from "../../src/desk/adjudication";
import { maskToText } from "../../src/protocol/mask";
import type { Work } from "../../src/ui/context";
import type { Viewer } from "../../src/viewer/viewer";

/** A page in a language that says everything in capitals. */
function speakLoudly(): void {
  const texts: Record<string, string | string[]> = {};
  for (const [, one = "", many] of sources().matchAll(/\bn?gettext\(\s*"([^"]+)"(?:,\s*"([^"]+)")?/g))
    texts[one] = many ? [loud(one), loud(many)] : loud(one);
  for (const [, context, text = ""] of sources().matchAll(/\bpgettext\(\s*"([^"]+)",\s*"([^"]+)"/g))
    texts[`${context}\u0004${text}`] = loud(text);
  document.documentElement.lang = "de";
  document.body.innerHTML = `<script type="application/json" id="texts">${JSON.stringify(texts)}</script><div id="case"></div>`;
}

/** Without the places for values. */
const loud = (text: string): string =>
  text
    .split(/(%\(\w+\)s)/)
    .map((part) => (part.startsWith("%(") ? part : part.toUpperCase()))
    .join("");

const sources = (): string =>
  readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(join("src", name), "utf8"))
    .join("\n");

const READ = ["title", "aria-label", "aria-valuetext", "placeholder"];

/** Words of the page that are still in small letters: of its texts, and of what is read aloud. */
function quietWords(): string[] {
  const said = [...document.querySelectorAll("#case, #case *")].flatMap((element) => [
    ...[...element.childNodes]
      .filter(({ nodeType }) => nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent ?? ""),
    ...READ.map((name) => element.getAttribute(name) ?? ""),
  ]);
  const words = said.flatMap((text) => text.match(/[A-Za-z’]{2,}/g) ?? []);
  return [...new Set(words)].filter((word) => word !== word.toUpperCase() && !OWN.has(word));
}

/** Names of this case, units, and what is the same everywhere. */
const OWN = new Set(
  "Abdomen Portal venous Spleen Liver Fat maria ben cleo mm cm ml ms Outline the organ Nothing else Slices are apart Dice test".split(
    " ",
  ),
);

let work: Work;
let fakes: typeof import("../session/fakes");
let socket: InstanceType<typeof fakes.FakeSocket>;
let words: typeof import("../../src/words");

beforeAll(async () => {
  speakLoudly();
  words = await import("../../src/words");
  fakes = await import("../session/fakes");
  const { maskOf, PLACE } = fakes;
  const { App } = await import("../../src/ui/App");
  const { newDesk } = await import("../desk/deskfake");
  const { render } = await import("preact");
  const reading = (person: string, n: number): Reading => ({ person, masks: [[1, 5, maskToText(maskOf(n))]] });
  const { desk, socket: opened } = await newDesk({}, [reading("ben", 4), reading("cleo", 8)]);
  const viewer = { host: document.createElement("div"), viewport: signal({ zoom: 2 }), zoom() {}, fit() {} };
  const panes = desk.planes.map((plane) => ({ plane, viewer: { host: document.createElement("div") } as never }));
  work = { desk, viewer: viewer as unknown as Viewer, panes };
  socket = opened;
  await act(() => {
    render(<App work={work} />, document.getElementById("case") as HTMLElement);
    desk.session.hold({ ...PLACE, click: undefined, y: 1, x: 1, positive: true });
    desk.session.release();
    socket.answer({ number: 1, mask: maskOf(5) });
    desk.chooseTool("threshold");
    desk.commentOnSlice();
    desk.progress.request("skip");
    desk.keysShown.value = true;
  });
});

describe("a page in another language", () => {
  it("leaves nothing in English", () => {
    expect(quietWords()).toEqual([]);
  });

  it("leaves nothing in English in its banners, planes, comments and history", async () => {
    const { desk } = work;
    await act(() => socket.say({ type: "lease", mine: false, person: "ben", since: "2026-11-28T09:30:00" }));
    expect(document.querySelector(".banner")?.textContent).toContain("09:30");
    expect(quietWords()).toEqual([]);
    await act(() => {
      socket.say({ type: "lease", mine: true, person: "maria", since: "2026-11-28T09:30:00" });
      desk.session.paint(fakes.PLACE, "brush", fakes.maskOf(3));
      socket.say(fakes.refusal("lease", 1));
      socket.say(fakes.changedOf({ z: 5 }));
      desk.preferences.planes.value = true;
      const [z, y, x, label, at] = [5, 1, 1, 1, "2026-11-28T09:30:00"];
      const comment = { person: "ben", text: "THE EDGE", z, label, at };
      desk.comments.list.value = [
        { ...comment, id: 1, y, x, resolved: null },
        { ...comment, id: 2, y: null, x: null, resolved: { person: "cleo", at } },
      ];
      desk.session.notices.say(desk.session.refusal ?? "");
    });
    expect(document.querySelectorAll(".banner, .planes, .comment, .notice")).toHaveLength(5);
    expect(quietWords()).toEqual([]);
  });

  it("says numbers and plurals its own way", () => {
    expect(words.decimal(1234.5, 2)).toBe("1234,50");
    const count = (n: number) => words.ngettext("%(n)s slice", "%(n)s slices", n);
    expect([0, 1, 2].map(count)).toEqual(["0 SLICES", "1 SLICE", "2 SLICES"]);
    expect(words.pgettext("of a mask", "Fill")).toBe("FILL");
    expect(words.dayAndTime("2026-11-28T09:05:00")).toBe("28.11.2026, 09:05:00");
  });
});

it("leaves a place without a value as it is, and a value that looks like a place", () => {
  expect(words.interpolate("%(a)s of %(b)s", { a: "%(b)s" })).toBe("%(b)s of %(b)s");
});
