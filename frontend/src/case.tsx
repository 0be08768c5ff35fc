/** The case page: puts session, viewer and panels together. */
import { effect } from "@preact/signals-core";
import { render } from "preact";
import "./palette.css";
import "./case.css";
import { type Assignment, gridOf, loadAssignment, loadReadings, loadSavedMasks } from "./desk/assignment";
import { pointerActions } from "./desk/clicking";
import { connectPanes, listenToPaneKeys, type Pane, paneActions } from "./desk/panes";
import { Desk } from "./desk/desk";
import { listenToKeys } from "./desk/keys";
import { rememberedPreferences } from "./desk/preferences";
import { Probe } from "./desk/probe";
import { Simulated } from "./desk/simulated";
import { browserTimers, socketAt } from "./live/connection";
import { followNotices } from "./pages/notices";
import { Session } from "./session/session";
import { openOutbox, type StoredOutbox } from "./session/storage";
import { App } from "./ui/App";
import { PointerInput } from "./viewer/pointer";
import { Viewer } from "./viewer/viewer";
import { gettext, ngettext } from "./words";

function newSession(assignment: Assignment, outbox: StoredOutbox): Session {
  return new Session({
    open: () => socketAt(assignment.socket),
    loadMasks: () => loadSavedMasks(assignment.id),
    outbox,
    timers: browserTimers,
    random: Math.random,
    window: Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join(""),
    shape: assignment.series.shape,
    labels: assignment.labels.map(({ id }) => id),
  });
}

function newHost(): HTMLElement {
  const host = document.createElement("div");
  host.className = "viewer";
  host.tabIndex = 0;
  host.setAttribute("role", "application");
  return host;
}

/** Everything the viewer shows comes from the desk; each group of state is handed over when it changes. */
function connectViewer(desk: Desk, viewer: Viewer, simulated: Simulated): void {
  const { preferences, session } = desk;
  effect(() => viewer.set({ slice: desk.slice.value, smooth: preferences.smooth.value }));
  effect(() => viewer.set({ table: desk.table.value }));
  effect(() =>
    viewer.set({ masks: desk.masks.value, opacity: preferences.opacity.value, outlined: preferences.outlined.value }),
  );
  effect(() => {
    const shown = desk.slice.value && !desk.masksHidden.value;
    const { adjudication, place } = desk;
    const guides = [...(adjudication?.guidesAt(place.value) ?? []), ...simulated.guidesAt(place.value)];
    viewer.set({ guides: shown ? guides : [] });
  });
  effect(() => viewer.set({ cut: preferences.planes.value && !desk.crosshair.value ? desk.cut.value : undefined }));
  effect(() => viewer.set({ clicks: desk.slice.value ? desk.clicks.value : [], crosshair: desk.crosshair.value }));
  effect(() => viewer.set({ pins: desk.pins.value, difference: desk.difference.value }));
  effect(() => viewer.set({ brush: desk.brush.value, way: desk.painting.way.value, ruler: desk.ruler.value }));
  effect(() => viewer.set({ marked: session.held.value?.click ?? desk.hovered.value ?? desk.selected.value }));
  effect(() => {
    const { z, label, clicks, tool } = desk;
    viewer.host.dataset.tool = desk.comments.isPlacing.value ? "pin" : tool.value;
    const place = ngettext(
      "Slice %(z)s of %(depth)s, label %(label)s, %(n)s click.",
      "Slice %(z)s of %(depth)s, label %(label)s, %(n)s clicks.",
      clicks.value.length,
      { z: z.value + 1, depth: desk.depth, label: label.value.name },
    );
    const [crosshair = "", help = ""] = ["crosshair", "help"].map((id) =>
      desk.keys.name(id).replace("?", gettext("question mark")),
    );
    const keys = gettext("Press %(crosshair)s for a keyboard crosshair, %(help)s for all keys.", { crosshair, help });
    viewer.host.setAttribute("aria-label", `${place} ${keys}`);
  });
}

function newPanes(desk: Desk, probe: Probe): readonly Pane[] {
  const panes = desk.planes.map((plane) => {
    const viewer = new Viewer(newHost(), plane.grid, (masks) => probe.planes.set(plane.name, masks));
    return { plane, viewer };
  });
  for (const pane of panes) {
    new PointerInput(pane.viewer.host, paneActions(desk, pane));
    listenToPaneKeys(desk, pane);
  }
  connectPanes(desk, panes);
  return panes;
}

function connectSession(desk: Desk): void {
  const { session } = desk;
  effect(() => session.view(desk.place.value));
  effect(() => {
    [desk.z.value, desk.preferences.planes.value, session.connection.value]; // all that this depends on
    queueMicrotask(() => desk.lookAtSlice());
  });
  effect(() => {
    const place = session.worked.value;
    if (place) queueMicrotask(() => void desk.propagation.flow(place));
  });
  effect(() => {
    const place = session.jump.value;
    if (place) queueMicrotask(() => desk.jumpTo(place));
  });
  effect(() => {
    const { what } = session.news.value ?? {};
    if (what === "progress") void desk.progress.reload();
    else if (what === "comments") void desk.comments.load();
  });
  effect(() => {
    if (!session.lease.value.mine || session.conflict.value) queueMicrotask(() => desk.painting.cancel());
  });
  window.addEventListener("online", () => session.setOnline(true));
  window.addEventListener("offline", () => session.setOnline(false));
  window.addEventListener("beforeunload", (event) => {
    if (session.waiting.value.length > 0) event.preventDefault();
  });
  session.setOnline(navigator.onLine);
  session.start();
}

async function openCase(root: HTMLElement): Promise<void> {
  const assignment = await loadAssignment(Number(root.dataset.assignment));
  if (assignment.labels.length === 0) throw new Error(gettext("This project has no labels yet."));
  const outbox = await openOutbox(assignment.id, localStorage, navigator.locks);
  const readings = await loadReadings(assignment);
  const desk = new Desk(assignment, newSession(assignment, outbox), rememberedPreferences(localStorage), readings);
  const probe = new Probe();
  const viewer = new Viewer(newHost(), gridOf(assignment.series), probe.onPainted);
  const panes = newPanes(desk, probe);
  probe.watch({ desk, viewer, panes });
  window.annotator = probe;
  document.title = `${assignment.series.description} · ${assignment.project.name}`;
  const simulated = new Simulated();
  connectViewer(desk, viewer, simulated);
  new PointerInput(viewer.host, pointerActions(desk, viewer));
  listenToKeys(desk, viewer);
  root.replaceChildren();
  root.classList.add("is-open");
  render(<App work={{ desk, viewer, panes }} />, root);
  connectSession(desk);
  followNotices(document);
  void desk.openAtComment();
  void simulated.open(location.hash, desk);
  viewer.host.focus();
}

const root = document.getElementById("case");
if (root) {
  root.innerHTML = '<p class="opening" role="status"></p>';
  root.firstElementChild?.append(gettext("Opening the case…"));
  openCase(root).catch((error: Error) => {
    root.innerHTML = '<p class="opening" role="alert"></p>';
    root.firstElementChild?.append(`${gettext("The case could not be opened.")} ${error.message}`);
  });
}
