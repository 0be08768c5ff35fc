// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followNotices } from "../../src/pages/notices";
import { TextSocket } from "../live/textsocket";

let sockets: TextSocket[];
const open = () => {
  sockets.push(new TextSocket());
  return sockets.at(-1) as TextSocket;
};
const count = () => document.querySelector("[data-unseen]") as HTMLElement;
const toasts = () => [...document.querySelectorAll(".toasts p")].map((toast) => toast.querySelector("a")?.textContent);

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  document.body.innerHTML = '<span data-unseen hidden>0</span><div class="toasts" data-close="Close"></div>';
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the bell", () => {
  it("counts along, and shows what is new", () => {
    followNotices(document, open);
    sockets[0]?.say({ unseen: 2, text: "", url: "" });
    expect([count().textContent, count().hidden, toasts()]).toEqual(["2", false, []]);
    sockets[0]?.say({ unseen: 3, text: "<b>A case came back.", url: "/notices/7/" });
    expect([count().textContent, toasts()]).toEqual(["3", ["<b>A case came back."]]);
    expect(document.querySelector(".toasts a")?.getAttribute("href")).toBe("/notices/7/");
    sockets[0]?.say({ unseen: 0, text: "", url: "" });
    expect(count().hidden).toBe(true);
  });

  it("shows the newest three, until they are closed or old", () => {
    followNotices(document, open);
    for (const text of ["a", "b", "c", "d"]) sockets[0]?.say({ unseen: 1, text, url: "/" });
    expect(toasts()).toEqual(["b", "c", "d"]);
    const close = document.querySelector<HTMLElement>(".toasts button");
    expect(close?.getAttribute("aria-label")).toBe("Close");
    close?.click();
    expect(toasts()).toEqual(["c", "d"]);
    vi.advanceTimersByTime(20_000);
    expect(toasts()).toEqual([]);
  });

  it("comes back after a lost connection, each time a little later", () => {
    vi.spyOn(Math, "random").mockReturnValue(1); // no jitter
    followNotices(document, open);
    for (const [wait, tries] of [
      [250, 2],
      [500, 3],
      [1000, 4],
    ] as const) {
      sockets.at(-1)?.fail(1006);
      vi.advanceTimersByTime(wait - 1);
      expect(sockets).toHaveLength(tries - 1);
      vi.advanceTimersByTime(1);
      expect(sockets).toHaveLength(tries);
    }
  });

  it("comes back at once when the browser is online again", () => {
    followNotices(document, open);
    sockets[0]?.fail(1006);
    window.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(2);
    sockets[1]?.say({ unseen: 2, text: "", url: "" });
    expect(count().textContent).toBe("2");
  });

  it("stays away from whoever is not logged in", () => {
    followNotices(document, open);
    sockets[0]?.fail(4401);
    vi.advanceTimersByTime(600_000);
    expect(sockets).toHaveLength(1);
    document.body.innerHTML = "";
    followNotices(document, open);
    expect(sockets).toHaveLength(1);
  });
});
