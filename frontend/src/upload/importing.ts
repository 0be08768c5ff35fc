/** Sends files and follows their import. */
import type { PickedFile } from "./files";
import { gettext } from "../words";

export interface ReportEntry {
  readonly name: string;
  readonly series: string | null;
  readonly outcome: "imported" | "known" | "refused";
  readonly sentences: readonly string[];
}

export interface ImportState {
  readonly state: "received" | "running" | "done" | "failed";
  readonly progress: number;
  readonly report: readonly ReportEntry[];
}

const POLL_MS = 800;
const PATIENCE = 8;

/** The address to follow the import at. `onProgress` gets the share of bytes that are sent. */
export function send(url: string, form: FormData, onProgress: (share: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much has been sent
    request.open("POST", url);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () =>
      request.status === 201 ? resolve(request.response.url) : reject(new Error(reason(request)));
    request.onerror = () => reject(new Error(gettext("The connection was lost. Nothing was imported; try again.")));
    request.send(form);
  });
}

function reason(request: XMLHttpRequest): string {
  if (typeof request.response?.error === "string") return request.response.error;
  if (request.status === 413) return gettext("That is more than this server takes in one upload.");
  if (request.status === 403) return gettext("You may not upload here, or you are not logged in any more.");
  return gettext("The server answered %(status)s.", { status: request.status });
}

export function uploadForm(form: HTMLFormElement, files: readonly PickedFile[]): FormData {
  const given = new FormData(form);
  const data = new FormData();
  for (const name of ["csrfmiddlewaretoken", "assignee"]) data.append(name, given.get(name) ?? "");
  for (const { file, path } of files) {
    data.append("files", file, file.name);
    data.append("paths", path);
  }
  return data;
}

/** Every state of an import until it is done or has failed. A few lost polls are forgiven. */
export async function* follow(url: string): AsyncGenerator<ImportState> {
  for (let failures = 0; failures < PATIENCE; ) {
    const state = await poll(url);
    failures = state ? 0 : failures + 1;
    if (state) yield state;
    if (state?.state === "done" || state?.state === "failed") return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS * (failures + 1)));
  }
  throw new Error(
    gettext("The server does not answer any more. The import may still be going on; look at the project in a while."),
  );
}

async function poll(url: string): Promise<ImportState | undefined> {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    return response.ok ? ((await response.json()) as ImportState) : undefined;
  } catch {
    return undefined;
  }
}
