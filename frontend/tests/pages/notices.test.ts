// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followNotices } from "../../src/pages/notices";

class FakeSocket extends EventTarget {
  say(news: object) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(news) }));
  }
  end(code: number) {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

let sockets: FakeSocket[];
const open = () => {
  sockets.push(new FakeSocket());
  return sockets.at(-1) as unknown as WebSocket;
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
    followNotices(document, open);
    for (const [wait, tries] of [
      [1000, 2],
      [2000, 3],
      [4000, 4],
    ] as const) {
      sockets.at(-1)?.end(1006);
      vi.advanceTimersByTime(wait - 1);
      expect(sockets).toHaveLength(tries - 1);
      vi.advanceTimersByTime(1);
      expect(sockets).toHaveLength(tries);
    }
  });

  it("stays away from whoever is not logged in", () => {
    followNotices(document, open);
    sockets[0]?.end(4401);
    vi.advanceTimersByTime(600_000);
    expect(sockets).toHaveLength(1);
    document.body.innerHTML = "";
    followNotices(document, open);
    expect(sockets).toHaveLength(1);
  });
});
