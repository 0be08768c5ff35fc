import { afterEach, describe, expect, it, vi } from "vitest";
import { fromDrop, fromInput, sizeText, summary } from "../../src/upload/files";
import { follow, type ImportState } from "../../src/upload/importing";

const file = (name: string, size = 10) => new File([new Uint8Array(size)], name);

const fileEntry = (path: string) => ({
  isFile: true,
  fullPath: path,
  file: (resolve: (file: File) => void) => resolve(file(path.split("/").at(-1) ?? "")),
});

/** Hands out its children in portions, as Chromium does. */
const folderEntry = (path: string, children: object[], portion = 2) => ({
  isFile: false,
  fullPath: path,
  createReader: () => {
    const left = [...children];
    return { readEntries: (resolve: (entries: object[]) => void) => resolve(left.splice(0, portion)) };
  },
});

const dropped = (...entries: object[]) =>
  entries.map((entry) => ({ webkitGetAsEntry: () => entry })) as unknown as DataTransferItemList;

describe("what is dropped", () => {
  it("is every file of every folder, however many portions it comes in", async () => {
    const images = Array.from({ length: 5 }, (_, i) => fileEntry(`/study/ct/IM${i}`));
    const files = await fromDrop(
      dropped(folderEntry("/study", [folderEntry("/study/ct", images)]), fileEntry("/a.nii.gz")),
    );
    expect(files.map(({ path }) => path)).toEqual([...[0, 1, 2, 3, 4].map((i) => `study/ct/IM${i}`), "a.nii.gz"]);
  });

  it("leaves out what operating systems leave behind", () => {
    const names = [".DS_Store", "Thumbs.db", "IM1", "a.zip"];
    expect(fromInput(names.map((name) => file(name))).map(({ path }) => path)).toEqual(["IM1", "a.zip"]);
  });

  it("is summed up", () => {
    expect(summary(fromInput([file("a", 1500), file("b", 500)]))).toBe("2 files, 2 kB");
    expect([sizeText(0), sizeText(62_500_000), sizeText(3.2e12)]).toEqual(["0 bytes", "62.5 MB", "3200.0 GB"]);
  });
});

describe("following an import", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const answers = (...states: (Partial<ImportState> | undefined)[]) => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", async () => {
      const state = states.shift();
      return state ? Response.json({ progress: 0, report: [], ...state }) : new Response(null, { status: 502 });
    });
  };

  async function all(): Promise<string[]> {
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { state } of follow("/uploads/x/")) seen.push(state);
    })();
    const ended = reading.catch((error: Error) => seen.push(error.message));
    await vi.advanceTimersByTimeAsync(120_000);
    await ended;
    return seen;
  }

  it("ends when it is done, and forgives a poll that fails", async () => {
    answers({ state: "received" }, undefined, { state: "running" }, { state: "done" }, { state: "running" });
    expect(await all()).toEqual(["received", "running", "done"]);
  });

  it("gives up when the server stays away", async () => {
    answers({ state: "running" });
    expect((await all()).at(-1)).toContain("does not answer");
  });
});
