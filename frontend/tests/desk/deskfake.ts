/** A desk with a fake session and slices that are there at once. */
import { signal } from "@preact/signals-core";
import { vi } from "vitest";
import type { Reading } from "../../src/desk/adjudication";
import type { Assignment } from "../../src/desk/assignment";
import { Desk } from "../../src/desk/desk";
import { Desk as FakeSession, SHAPE } from "../session/fakes";

export const ASSIGNMENT: Assignment = {
  id: 12,
  project: {
    id: 3,
    name: "Abdomen",
    guidelines: "<p>Outline the organ.</p>\n<p>Nothing else.</p>",
    overlap: "newest",
    window_presets: [{ name: "Fat", width: 200, level: -100 }],
  },
  series: {
    id: "s",
    description: "Portal venous",
    modality: "CT",
    shape: SHAPE,
    spacing: [5, 0.8, 0.8],
    affine: [-0.8, 0, 0, 3, 0, -0.8, 0, 3, 0, 0, 5, 0, 0, 0, 0, 1],
    synthetic: true,
    warnings: ["Slices are 5 mm apart."],
    slice_url: "/api/series/s/slices/{z}",
  },
  labels: [
    { id: 1, name: "Spleen", value: 1, colour: "#f2a65a", hotkey: "" },
    { id: 2, name: "Liver", value: 2, colour: "#c678dd", hotkey: "" },
  ],
  kind: "reading",
  person: "maria",
  reader: "maria",
  progress: {
    state: "in_progress",
    refusal: null,
    moves: ["submit", "skip", "hand_back"],
    revisable: false,
    reason: null,
  },
  socket: "/ws/assignments/12/",
  links: {
    home: "/",
    notices: "/notices/",
    export: "/export",
    next: "/next",
    measures: "/measures.csv",
    review: "/review/next",
  },
};

export async function newDesk(welcome = {}, readings?: readonly [Reading, Reading]) {
  const slice = new Int16Array(SHAPE[1] * SHAPE[2]).fill(50);
  vi.stubGlobal("fetch", async () => new Response(slice.buffer));
  const fake = new FakeSession();
  const preferences = {
    opacity: signal(0.3),
    outlined: signal(true),
    smooth: signal(true),
    planes: signal(false),
    singleKeys: signal(true),
    keys: signal({}),
    brushMm: signal(1),
    range: signal({ low: 0, high: 100 }),
  };
  const desk = new Desk(ASSIGNMENT, fake.session, preferences, readings);
  desk.goTo(5);
  desk.lookAtSlice();
  await vi.waitFor(() => {
    if (!desk.slice.value) throw new Error("still loading");
  });
  const socket = fake.connect(welcome);
  return { desk, fake, socket };
}
