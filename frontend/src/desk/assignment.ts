/** What the server says about an assignment over HTTP. */
import { splitMaskFrames } from "../protocol/maskframe";
import type { MaskFrame } from "../protocol/maskframe";
import { csrfToken } from "../session/csrf";
import type { Grid } from "../viewer/geometry";
import type { Reading } from "./adjudication";
import type { Steps } from "./history";
import type { OverlapRule } from "./overlap";
import type { MakeMove, Standing } from "./progress";

export interface Label {
  readonly id: number;
  readonly name: string;
  readonly value: number;
  readonly colour: string;
}

export interface Series {
  readonly id: string;
  readonly description: string;
  readonly modality: string;
  readonly shape: readonly [number, number, number]; // slices, rows, columns
  readonly spacing: readonly [number, number, number]; // mm, in the same order
  readonly affine: readonly number[];
  readonly synthetic: boolean;
  readonly warnings: readonly string[];
  readonly slice_url: string;
}

export interface Project {
  readonly id: number;
  readonly name: string;
  readonly guidelines: string;
  readonly overlap: OverlapRule;
}

export interface Assignment {
  readonly id: number;
  readonly project: Project;
  readonly series: Series;
  readonly labels: readonly Label[];
  readonly person: string;
  readonly progress: Standing;
  readonly socket: string;
  readonly links: Readonly<Record<"home" | "export" | "next" | "measures", string>> & {
    /** Of an adjudication alone. */
    readonly readings?: string;
  };
}

export function gridOf({ shape, spacing }: Series): Grid {
  return { columns: shape[2], rows: shape[1], columnMm: spacing[2], rowMm: spacing[1] };
}

export async function loadAssignment(id: number): Promise<Assignment> {
  const response = await get(`/api/assignments/${id}/`);
  return (await response.json()) as Assignment;
}

export async function loadSavedMasks(id: number): Promise<MaskFrame[]> {
  const response = await get(`/api/assignments/${id}/masks/`);
  return [...splitMaskFrames(new Uint8Array(await response.arrayBuffer()))];
}

/** The two readings of an adjudication; nothing of any other case. */
export async function loadReadings({ links }: Assignment): Promise<readonly [Reading, Reading] | undefined> {
  if (!links.readings) return undefined;
  const response = await fetch(links.readings, { credentials: "same-origin" });
  if (response.status === 409) throw new Error(((await response.json()) as { error: string }).error);
  return ((await checked(response).json()) as { readings: [Reading, Reading] }).readings;
}

/** What undo and redo can reach, in the order in which it was made, at most so many of the newest. */
export async function loadSteps(id: number, most: number): Promise<Steps> {
  const response = await get(`/api/assignments/${id}/steps/?most=${most}`);
  return (await response.json()) as Steps;
}

export const moverOf =
  (id: number): MakeMove =>
  async (move, reason) => {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    const body = JSON.stringify({ move, reason });
    const response = await fetch(`/api/assignments/${id}/moves/`, { method: "POST", headers, body });
    if (response.status === 409) throw new Error(((await response.json()) as { error: string }).error);
    return (await checked(response).json()) as Standing;
  };

async function get(url: string): Promise<Response> {
  return checked(await fetch(url, { credentials: "same-origin" }));
}

function checked(response: Response): Response {
  if (!response.ok) throw new Error(REASONS[response.status] ?? `The server answered ${response.status}.`);
  return response;
}

const REASONS: Readonly<Record<number, string>> = {
  401: "You are not logged in any more. Log in again.",
  403: "You may not open this case.",
  404: "There is no such case.",
};
