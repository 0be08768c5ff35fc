import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The frames that Python's `annotator.protocol` wrote; see `tests/protocol/frames/regenerate.py`. */
const FRAMES = fileURLToPath(new URL("../../../tests/protocol/frames/", import.meta.url));

export const names = (ext: string): string[] =>
  readdirSync(FRAMES)
    .filter((name) => name.endsWith(ext))
    .map((name) => name.slice(0, -ext.length));

export const bytes = (name: string): Uint8Array => new Uint8Array(readFileSync(FRAMES + name));
export const text = (name: string): string => readFileSync(FRAMES + name, "utf-8").replace(/\n$/, "");
export const textFrames = (): string[] => names(".json").filter((name) => !names(".bin").includes(name));
