/** What the server says about an assignment over HTTP. */
import { splitMaskFrames } from "../protocol/maskframe";
import type { MaskFrame } from "../protocol/maskframe";
import { csrfToken } from "../session/csrf";
import type { Grid } from "../viewer/geometry";
import type { Preset } from "../viewer/window";
import type { Reading } from "./adjudication";
import type { Comment, CommentApi, NewComment } from "./comments";
import type { Steps } from "./history";
import type { OverlapRule } from "./overlap";
import type { ProgressApi, Standing } from "./progress";
import { gettext } from "../words";

export interface Label {
  readonly id: number;
  readonly name: string;
  readonly value: number;
  readonly colour: string;
  /** The key that the project gives it; "" where it has none of its own. */
  readonly hotkey: string;
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
  /** HTML, made and made safe by the server. */
  readonly guidelines: string;
  readonly window_presets: readonly Preset[];
  readonly overlap: OverlapRule;
}

export interface Assignment {
  readonly id: number;
  readonly project: Project;
  readonly series: Series;
  readonly labels: readonly Label[];
  readonly kind: "reading" | "revision" | "adjudication";
  /** Whose work it is. */
  readonly person: string;
  /** Who looks at it. */
  readonly reader: string;
  readonly progress: Standing;
  readonly socket: string;
  readonly links: Readonly<Record<"home" | "notices" | "export" | "next" | "measures" | "review", string>> & {
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

export const progressApi = (id: number): ProgressApi => ({
  move: async (move, reason) => (await post(`/api/assignments/${id}/moves/`, { move, reason })) as Standing,
  load: async () => (await loadAssignment(id)).progress,
  revise: async () => ((await post(`/api/assignments/${id}/revision/`, {})) as { url: string }).url,
});

export const commentApi = (id: number): CommentApi => {
  const url = `/api/assignments/${id}/comments/`;
  return {
    load: async () => ((await (await get(url)).json()) as { comments: readonly Comment[] }).comments,
    add: async (comment: NewComment) => (await post(url, comment)) as Comment,
    resolve: async (comment, resolved) => (await post(`${url}${comment}/`, { resolved })) as Comment,
  };
};

/** What the server answers. Rejects with its sentence where it refuses. */
async function post(url: string, body: object): Promise<unknown> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.status === 409) throw new Error(((await response.json()) as { error: string }).error);
  return await checked(response).json();
}

async function get(url: string): Promise<Response> {
  return checked(await fetch(url, { credentials: "same-origin" }));
}

function checked(response: Response): Response {
  if (!response.ok)
    throw new Error(
      REASONS[response.status] ?? gettext("The server answered %(status)s.", { status: response.status }),
    );
  return response;
}

const REASONS: Readonly<Record<number, string>> = {
  401: gettext("You are not logged in any more. Log in again."),
  403: gettext("You may not open this case."),
  404: gettext("There is no such case."),
};
