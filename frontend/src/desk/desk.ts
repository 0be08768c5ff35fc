/** The desk a case is worked on: what is on screen, and what each action of the person does to session and viewer. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Mask } from "../protocol/mask";
import type { PlacedClick } from "../protocol/messages";
import { clicksAt, HELD_ID, isUnconfirmed, sinceAt } from "../session/clicks";
import { keyOf, type Place, type PlaceKey, placeOf, samePlace } from "../session/place";
import type { Session } from "../session/session";
import { clampVoxel, type Grid, type ImagePoint, lengthMm, sameVoxel, type Voxel, voxel } from "../viewer/geometry";
import { type Brush, type LabelMask, type Pin, type Ruler, sameMasks } from "../viewer/layers";
import { Plane, PLANE_NAMES, type SliceMasks, type VolumePoint } from "../viewer/planes";
import { type Overview, overview, SliceCache, sliceLoader } from "../viewer/slices";
import { autoWindow, type GreyWindow, limited, lookupTable, PRESETS, type Preset } from "../viewer/window";
import { Adjudication, type Choice, type Reading } from "./adjudication";
import { type Assignment, commentApi, gridOf, type Label, loadSteps, progressApi } from "./assignment";
import { type Comment, Comments } from "./comments";
import { History, replaysAt, type Step } from "./history";
import { hotkeys, Keys } from "./keys";
import { type Claim, visibleMasks } from "./overlap";
import { PAINT_TOOLS, Painting, type PaintTool, type WholeTool } from "./painting";
import type { Preferences } from "./preferences";
import { type Direction, Propagation } from "./propagation";
import { Progress } from "./progress";
import { isDoubtful } from "./quality";
import { decimal, gettext, ngettext } from "../words";

export type Tool = "click" | "window" | "ruler" | PaintTool;

export const isPaintTool = (tool: Tool): tool is PaintTool => (PAINT_TOOLS as readonly Tool[]).includes(tool);

/** Some 130 MB of 512×512 slices. */
const SLICES_KEPT = 256;
/** What the planes across may keep besides; of a volume that is larger they read every second slice, or third. */
const PLANES_BYTES = 512 * 2 ** 20;
const WINDOW_PER_PIXEL = 2;

export class Desk {
  readonly assignment: Assignment;
  readonly session: Session;
  readonly preferences: Preferences;
  readonly keys: Keys;
  /** The standard windows, which have keys, then the project's own. */
  readonly presets: readonly Preset[];
  readonly grid: Grid;
  readonly painting: Painting;
  readonly history: History;
  readonly propagation: Propagation;
  readonly progress: Progress;
  readonly comments: Comments;
  /** Where the case is one. */
  readonly adjudication: Adjudication | undefined;
  /** Those beside the slice. */
  readonly planes: readonly Plane[];
  /** The slices that they are made of. */
  readonly overview: Overview;

  readonly z: Signal<number>;
  readonly label: Signal<Label>;
  readonly tool = signal<Tool>("click");
  readonly placesBackground = signal(false);
  readonly greyWindow = signal<GreyWindow>({ width: 400, level: 40 });
  readonly hidden = signal<ReadonlySet<number>>(new Set());
  readonly masksHidden = signal(false);
  readonly pointed = signal<Voxel | undefined>(undefined);
  /** Where exactly the pointer is, for the brush. */
  readonly pointedAt = signal<ImagePoint | undefined>(undefined);
  readonly crosshair = signal<Voxel | undefined>(undefined);
  /** The row of the slice on which the coronal plane cuts it, and the column of the sagittal one. */
  readonly cut: Signal<Voxel>;
  readonly ruler = signal<Ruler | undefined>(undefined);
  readonly hovered = signal<number | undefined>(undefined);
  readonly selected = signal<number | undefined>(undefined);
  readonly keysShown = signal(false);
  /** Whether the mask of a click that is not placed follows the pointer. */
  readonly peeking = signal(false);
  /** For those who hear the screen. */
  readonly announcement = signal("");
  /** Counts loaded slices and failures, so that whoever shows a slice looks again. */
  private readonly loads = signal(0);
  private readonly failed = signal<ReadonlySet<number>>(new Set());
  private readonly slices: SliceCache;

  /** Where the three planes meet. */
  readonly point: ReadonlySignal<VolumePoint>;
  /** The window as greys. */
  readonly table: ReadonlySignal<Uint32Array>;
  readonly place: ReadonlySignal<Place>;
  readonly slice: ReadonlySignal<Int16Array | undefined>;
  readonly sliceFailed: ReadonlySignal<boolean>;
  readonly clicks: ReadonlySignal<readonly PlacedClick[]>;
  readonly masks: ReadonlySignal<readonly LabelMask[]>;
  /** What the chosen label has of this slice. */
  readonly maskHere: ReadonlySignal<Mask | undefined>;
  readonly brush: ReadonlySignal<Brush | undefined>;
  readonly pins: ReadonlySignal<readonly Pin[]>;
  /** Whether what waits here is outlined over what another window did meanwhile. */
  readonly comparing = signal(false);
  /** Its outlines on this slice. */
  readonly difference: ReadonlySignal<readonly LabelMask[]>;
  /** What each label has of a slice: one signal for each slice, so that a mask that changes disturbs no other one. */
  private readonly visible = new Map<number, ReadonlySignal<ReadonlyMap<number, Mask>>>();
  /** The place of a press under way, as a text: where the pointer is changes nothing about it. */
  private readonly heldKey: ReadonlySignal<PlaceKey | undefined>;
  private readonly masked: ReadonlySignal<ReadonlyMap<number, readonly number[]>>;
  private readonly doubtful: ReadonlySignal<ReadonlyMap<number, readonly number[]>>;

  constructor(
    assignment: Assignment,
    session: Session,
    preferences: Preferences,
    readings?: readonly [Reading, Reading],
  ) {
    const { shape, spacing } = assignment.series;
    const [depth, rows, columns] = shape;
    [this.assignment, this.session, this.preferences] = [assignment, session, preferences];
    this.keys = new Keys(preferences.keys, hotkeys(assignment.labels));
    this.presets = [...PRESETS, ...assignment.project.window_presets];
    this.grid = gridOf(assignment.series);
    this.painting = new Painting(session, this.grid, preferences, {
      valueAt: (index) => this.slice.value?.[index],
      maskAt: (place) => this.visibleAt(place.z).get(place.label),
      barredAt: (place) => this.barredAt(place),
    });
    this.adjudication = readings && new Adjudication(readings, session, this.grid);
    this.propagation = new Propagation(session, this.grid, depth);
    this.progress = new Progress(assignment, session, progressApi(assignment.id), (to) => location.assign(to));
    this.comments = new Comments(commentApi(assignment.id), session.notices);
    this.history = new History(session, (most) => loadSteps(assignment.id, most), session.timers);
    this.planes = PLANE_NAMES.map((name) => new Plane(name, shape, spacing));
    this.overview = overview(depth, rows * columns * Int16Array.BYTES_PER_ELEMENT, PLANES_BYTES);
    this.z = signal(Math.floor(depth / 2));
    this.cut = signal(voxel(Math.floor(columns / 2), Math.floor(rows / 2)));
    this.label = signal(assignment.labels[0] as Label);
    this.slices = new SliceCache({
      depth,
      load: sliceLoader(assignment.series.slice_url, rows, columns),
      onLoaded: () => this.loads.value++,
      onFailed: (z) => this.setFailed(z, true),
      capacity: SLICES_KEPT,
    });
    this.point = computed(() => ({ ...this.cut.value, z: this.z.value }));
    this.table = computed(() => lookupTable(this.greyWindow.value));
    this.place = computed(() => ({ label: this.label.value.id, z: this.z.value }));
    this.slice = computed(() => this.sliceAt(this.z.value));
    this.sliceFailed = computed(() => this.failed.value.has(this.z.value) && !this.slice.value);
    this.clicks = computed(() => {
      const replay = replaysAt(this.history.replayed, this.place.value);
      return replay?.slice.clicks ?? [...session.clicksOnScreen(this.place.value), ...this.waitingClicks()];
    });
    this.heldKey = computed(() => {
      const held = session.held.value ?? this.painting.stroke.value?.place;
      return held && keyOf(held);
    });
    let masks: readonly LabelMask[] = [];
    this.masks = computed(() => {
      const now = this.masksOnScreen();
      if (!sameMasks(masks, now)) masks = now; // else nothing has to be drawn again
      return masks;
    });
    this.maskHere = computed(() => this.visibleAt(this.z.value).get(this.label.value.id));
    this.brush = computed(() => this.brushOnScreen());
    this.pins = computed(() => this.comments.pinsOn(this.z.value));
    this.difference = computed(() => (this.comparing.value ? this.waitingMasks() : []));
    // By way of a text, which stays equal while a drag changes masks but not which there are: then no strip is redrawn.
    const placesOf = (wanted: (mask: Mask) => boolean) => {
      const places = computed(() => placesWhere(session.masks.shown.value, wanted).join(" "));
      return computed(() => slicesByLabel(places.value.split(" ").filter(Boolean) as PlaceKey[]));
    };
    this.masked = placesOf((mask) => mask.runs.length > 0);
    this.doubtful = placesOf(isDoubtful);
  }

  // ------------------------------------------------------------------------------------------ slices and labels

  get depth(): number {
    return this.assignment.series.shape[0];
  }

  goTo(z: number): void {
    const target = Math.min(Math.max(Math.round(z), 0), this.depth - 1);
    if (target === this.z.value || this.isBusy) return;
    this.history.stop();
    batch(() => {
      this.hovered.value = this.selected.value = undefined;
      this.z.value = target;
      this.ruler.value = undefined; // it lies in a slice
    });
  }

  /** Whether a press is under way, which belongs to the slice and the label that it began on. */
  private get isBusy(): boolean {
    return this.session.held.value !== undefined || this.painting.stroke.value !== undefined;
  }

  /** What there is of a slice's values; nothing until it has come. */
  sliceAt(z: number): Int16Array | undefined {
    this.loads.value; // the cache itself is no signal
    return this.slices.get(z);
  }

  /** Called whenever another slice is on screen, or the planes: fetches it and what lies around it. */
  lookAtSlice(): void {
    this.slices.look(this.z.value, this.preferences.planes.value ? this.overview.slices : []);
  }

  /** How many of the slices that the planes are made of have not come yet. */
  get awaited(): number {
    return this.overview.slices.filter((z) => !this.sliceAt(z)).length;
  }

  /** Lets the other planes cut the slice at this voxel. */
  cutThrough(at: Voxel | undefined): void {
    if (at && !sameVoxel(at, this.cut.value)) this.cut.value = at;
  }

  /** Brings all planes, and the crosshair where it is on, to a voxel, or to the one of the volume that is nearest. */
  goToPoint({ x, y, z }: VolumePoint): void {
    if (this.isBusy) return;
    const at = clampVoxel(x, y, this.grid);
    batch(() => {
      this.goTo(z);
      this.cutThrough(at);
      if (this.crosshair.value) this.crosshair.value = at;
    });
  }

  retrySlice(): void {
    this.setFailed(this.z.value, false);
    this.lookAtSlice();
  }

  selectLabel(label: Label | undefined): void {
    if (!label || this.isBusy) return;
    this.history.stop();
    batch(() => {
      this.hovered.value = this.selected.value = undefined;
      this.label.value = label;
      this.setVisible(label, true); // clicking into a mask that cannot be seen helps nobody
      this.masksHidden.value = false;
    });
  }

  setVisible(label: Label, visible: boolean): void {
    const hidden = new Set(this.hidden.value);
    if (visible) hidden.delete(label.id);
    else hidden.add(label.id);
    this.hidden.value = hidden;
  }

  toggleVisible(label: Label): void {
    this.setVisible(label, this.hidden.value.has(label.id));
  }

  /** Where the last undo or redo took effect. */
  jumpTo(place: Place): void {
    const label = this.assignment.labels.find(({ id }) => id === place.label);
    const elsewhere = place.z !== this.z.value || label !== this.label.value;
    this.selectLabel(label);
    this.goTo(place.z);
    if (elsewhere)
      this.announcement.value = gettext("Went to slice %(z)s, %(label)s, where this took effect.", {
        z: place.z + 1,
        label: label?.name ?? "",
      });
  }

  /** The nearest slice in a direction that has a mask of the chosen label. */
  goToMask(direction: 1 | -1): void {
    const slices = this.slicesWithMask(this.label.value);
    const beyond = slices.filter((z) => (z - this.z.value) * direction > 0);
    const next = direction > 0 ? Math.min(...beyond) : Math.max(...beyond);
    if (Number.isFinite(next)) this.goTo(next);
    else this.announcement.value = gettext("No further slice with %(label)s.", { label: this.label.value.name });
  }

  /** Slices on which a label has a mask, lowest first. */
  slicesWithMask({ id }: Label): readonly number[] {
    return this.masked.value.get(id) ?? [];
  }

  /** Those of them that the model itself doubts. */
  doubtfulSlices({ id }: Label): readonly number[] {
    return this.doubtful.value.get(id) ?? [];
  }

  /** The next slice that the model doubts, going up and around. */
  goToDoubtful(): void {
    const slices = this.doubtfulSlices(this.label.value);
    const next = nextAround(slices, this.z.value);
    if (next === undefined)
      this.announcement.value = gettext("No slice of %(label)s is doubtful.", { label: this.label.value.name });
    else this.goTo(next);
  }

  /** All masks of the chosen label. */
  labelMasks(): readonly Mask[] {
    const { id } = this.label.value;
    return this.slicesWithMask(this.label.value).flatMap((z) => this.visibleAt(z).get(id) ?? []);
  }

  /** What each label has of a slice, by the project's rule for voxels that several masks claim. */
  private visibleAt(z: number): ReadonlyMap<number, Mask> {
    const visible =
      this.visible.get(z) ?? computed(() => visibleMasks(this.claimsAt(z), this.assignment.project.overlap));
    this.visible.set(z, visible);
    return visible.value;
  }

  private claimsAt(z: number): Claim[] {
    const { session, assignment } = this;
    const masks = session.masks.onSlice(z);
    return assignment.labels.flatMap(({ id: label }) => {
      const [mask, place] = [masks.get(label), { label, z }];
      const isHeld = mask && this.heldKey.value === keyOf(place);
      return mask ? [{ label, mask, since: isHeld ? Number.MAX_VALUE : sinceAt(session.clicks.value, place) }] : [];
    });
  }

  /** The masks of a slice that a label's may not take a voxel of. */
  private barredAt({ label, z }: Place): readonly Mask[] {
    const locked = this.session.locked.value;
    const takesNone = this.assignment.project.overlap === "background";
    return [...this.visibleAt(z)].flatMap(([other, mask]) =>
      other !== label && (takesNone || locked.has(other)) ? [mask] : [],
    );
  }

  private masksOnScreen(): LabelMask[] {
    return this.slice.value ? this.shownOf(this.z.value, this.visibleAt(this.z.value)) : [];
  }

  /** The masks of all slices, as they are shown. */
  masksOfSlices(): readonly SliceMasks[] {
    const slices = new Set([...this.masked.value.values()].flat());
    return [...slices].map((z) => [z, this.shownOf(z, this.visibleAt(z))]);
  }

  private shownOf(z: number, visible: ReadonlyMap<number, Mask>): LabelMask[] {
    if (this.masksHidden.value) return [];
    return this.assignment.labels.flatMap(({ id, colour }) => {
      const mask = this.hidden.value.has(id) ? undefined : visible.get(id);
      const unconfirmed = isUnconfirmed(this.session.clicks.value, { label: id, z });
      return mask ? [{ label: id, colour, mask, unconfirmed }] : [];
    });
  }

  // ------------------------------------------------------------------------------------------ locks

  toggleLock({ id }: Label): void {
    if (!this.isRefused(this.refusal)) this.session.lock(id, !this.session.locked.value.has(id));
  }

  /** Whether the chosen label may not be changed; then the person is told. */
  private refusesChange(): boolean {
    this.history.stop();
    const { id, name } = this.label.value;
    const isLocked = this.session.locked.value.has(id);
    const locked = isLocked
      ? gettext("%(label)s is locked. Unlock it to change its masks.", { label: name })
      : undefined;
    return this.isRefused(this.refusal ?? locked);
  }

  /** Why this person, or this window, changes nothing now. */
  get refusal(): string | undefined {
    return this.progress.refusal ?? this.session.refusal;
  }

  private isRefused(sentence: string | undefined): boolean {
    if (sentence) this.session.notices.say(sentence);
    return sentence !== undefined;
  }

  private setFailed(z: number, failed: boolean): void {
    const all = new Set(this.failed.value);
    if (failed) all.add(z);
    else all.delete(z);
    this.failed.value = all;
  }

  // ------------------------------------------------------------------------------------------ tools, window and level

  chooseTool(tool: Tool): void {
    this.tool.value = tool;
  }

  /** Chosen once more, a tool gives way to the click. */
  toggleTool(tool: Tool): void {
    this.chooseTool(this.tool.value === tool ? "click" : tool);
  }

  changeWindow(dx: number, dy: number): void {
    const { width, level } = this.greyWindow.value;
    this.greyWindow.value = limited({ width: width + dx * WINDOW_PER_PIXEL, level: level + dy * WINDOW_PER_PIXEL });
  }

  applyPreset(index: number): void {
    const preset = this.presets[index];
    if (preset) this.greyWindow.value = limited(preset);
  }

  applyAutoWindow(): void {
    if (this.slice.value) this.greyWindow.value = autoWindow(this.slice.value);
  }

  // ------------------------------------------------------------------------------------------ ruler

  startRuler(at: ImagePoint): void {
    if (this.slice.value) this.ruler.value = { from: at, to: at };
  }

  stretchRuler(to: ImagePoint): void {
    const ruler = this.ruler.value;
    if (ruler) this.ruler.value = { ...ruler, to };
  }

  /** A press without a drag takes the ruler away. */
  endRuler(): void {
    const ruler = this.ruler.value;
    if (!ruler) return;
    const mm = lengthMm(this.grid, ruler.from, ruler.to);
    if (mm < 0.1) this.ruler.value = undefined;
    else this.announcement.value = gettext("%(mm)s millimetres", { mm: decimal(mm, 1) });
  }

  // ------------------------------------------------------------------------------------------ clicks

  /** Grabs the click `grabbed`, or else presses a new one. Nothing can be clicked before its slice is there. */
  press(at: Voxel, grabbed: PlacedClick | undefined, background: boolean): void {
    if (!this.slice.value || this.refusesChange()) return;
    if (grabbed) {
      const { id: click, y, x, positive } = grabbed;
      this.selected.value = click;
      this.session.hold({ ...this.place.value, click, y, x, positive });
    } else {
      this.selected.value = undefined;
      this.session.hold({ ...this.place.value, click: undefined, y: at.y, x: at.x, positive: !background });
    }
  }

  deleteClick(id: number | undefined = this.hovered.value ?? this.selected.value): void {
    if (id === undefined || this.session.held.value || this.refusesChange()) return;
    this.hovered.value = this.selected.value = undefined;
    this.session.deleteClick(id);
  }

  /** What would a click do here? Shows its mask, and places nothing. */
  startPeek(): void {
    if (this.peeking.value || this.session.held.value) return;
    this.peeking.value = true;
    this.peek(this.pointed.value);
  }

  /** Takes the peeked click along, unless a real one is held. */
  peek(at: Voxel | undefined): void {
    const held = this.session.held.value;
    if (!this.peeking.value || !this.slice.value || (held && !held.peeked)) return;
    if (!at) this.withdrawPeek();
    else if (held) this.session.drag(at.y, at.x);
    else {
      const positive = !this.placesBackground.value;
      this.session.hold({ ...this.place.value, click: undefined, y: at.y, x: at.x, positive, peeked: true });
    }
  }

  endPeek(): void {
    this.withdrawPeek();
    this.peeking.value = false;
  }

  /** Before a real press, which must not grab the peeked click. */
  withdrawPeek(): void {
    if (this.session.held.value?.peeked) this.session.cancelHold();
  }

  /** Gives up, innermost first: the held click, then the crosshair, then the selection. */
  escape(): void {
    if (this.comments.isPlacing.value || this.comments.draft.value) this.comments.cancel();
    else if (this.history.replayed.value) this.history.stop();
    else if (this.painting.stroke.value) this.painting.cancel();
    else if (this.session.held.value) this.session.cancelHold();
    else if (this.propagation.progress.value) this.propagation.stop();
    else if (this.crosshair.value) this.leaveCrosshair();
    else if (this.ruler.value) this.ruler.value = undefined;
    else this.selected.value = undefined;
  }

  // ------------------------------------------------------------------------------------------ painting

  private brushOnScreen(): Brush | undefined {
    const [tool, at] = [this.tool.value, this.pointedAt.value];
    if (!at || !isPaintTool(tool) || tool === "lasso") return undefined;
    const erases = this.painting.stroke.value?.erases ?? tool === "eraser";
    return { at, radiusMm: this.preferences.brushMm.value, erases };
  }

  beginStroke(at: ImagePoint, inverted: boolean): void {
    const tool = this.tool.value;
    if (this.slice.value && isPaintTool(tool) && !this.refusesChange())
      this.painting.begin(this.place.value, tool, at, inverted);
  }

  /** Something done to the whole mask of this slice. */
  edit(tool: WholeTool): void {
    if (!this.slice.value || this.isBusy || this.refusesChange()) return;
    if (!this.painting.apply(this.place.value, tool)) this.announcement.value = gettext("This changes nothing here.");
  }

  /** The mask of the slice above (1) or below (−1), for this one. */
  copyFrom(direction: 1 | -1): void {
    if (!this.slice.value || this.isBusy || this.refusesChange()) return;
    const from = { ...this.place.value, z: this.z.value + direction };
    if (!this.session.masks.at(from)?.runs.length)
      this.announcement.value =
        direction > 0
          ? gettext("The slice above has no mask of %(label)s.", { label: this.label.value.name })
          : gettext("The slice below has no mask of %(label)s.", { label: this.label.value.name });
    else if (!this.painting.copy(this.place.value, from))
      this.announcement.value = gettext("This changes nothing here.");
  }

  /** Carries this slice's mask to its neighbours, as far as the structure goes. */
  async propagate(directions: readonly Direction[]): Promise<void> {
    if (this.isBusy || this.refusesChange()) return;
    if (!this.session.masks.at(this.place.value)?.runs.length) {
      this.session.notices.say(
        gettext("This slice has no mask of %(label)s to go on from.", { label: this.label.value.name }),
      );
      return;
    }
    this.tellReached(await this.propagation.run(this.place.value, directions));
  }

  /** Interpolates between the confirmed slices around this one. */
  async fillBetween(): Promise<void> {
    if (this.isBusy || this.refusesChange()) return;
    const filling = this.propagation.fill(this.place.value);
    if (filling) this.tellReached(await filling);
    else
      this.session.notices.say(
        gettext("There are no two confirmed slices of %(label)s to fill in between.", { label: this.label.value.name }),
      );
  }

  private tellReached(slices: number): void {
    this.announcement.value = ngettext("%(n)s slice was reached.", "%(n)s slices were reached.", slices);
  }

  isUnconfirmed(label: Label, z: number): boolean {
    return isUnconfirmed(this.session.clicks.value, { label: label.id, z });
  }

  /** Slices of a label that were propagated and that no person has confirmed, lowest first. */
  unconfirmedSlices(label: Label): readonly number[] {
    return this.slicesWithMask(label).filter((z) => this.isUnconfirmed(label, z));
  }

  /** This slice's mask is right as it is; then on to the next one that waits. */
  accept(): void {
    const { value: place } = this.place;
    const mask = this.session.masks.at(place);
    if (!mask || !this.isUnconfirmed(this.label.value, place.z) || this.isBusy || this.refusesChange()) return;
    this.session.paint(place, "accept", mask);
    const next = nextAround(this.unconfirmedSlices(this.label.value), place.z);
    if (next !== undefined) this.goTo(next);
  }

  /** Decides on this slice's mask by the readings. */
  take(choice: Choice): void {
    if (!this.adjudication || this.isBusy || this.refusesChange()) return;
    const { value: place } = this.place;
    this.painting.take(place, this.adjudication.maskOf(choice, place), choice);
  }

  /** Decides on all slices of the chosen label that wait. */
  takeRest(choice: Choice): void {
    if (!this.adjudication || this.isBusy || this.refusesChange()) return;
    const { id: label } = this.label.value;
    for (const z of this.adjudication.undecidedOf(label)) {
      const place = { label, z };
      this.painting.take(place, this.adjudication.maskOf(choice, place), choice);
    }
  }

  goToUndecided(): void {
    if (!this.adjudication) return;
    const next = this.adjudication.next(this.place.value);
    if (!next) {
      this.announcement.value = gettext("Every difference between the readings is decided.");
      return;
    }
    this.selectLabel(this.assignment.labels.find(({ id }) => id === next.label));
    this.goTo(next.z);
  }

  /** While a press or a stroke is under way, undo takes back that and nothing else. */
  undo(): void {
    if (this.painting.stroke.value) this.painting.cancel();
    else if (!this.isRefused(this.refusal)) this.session.undo();
  }

  redo(): void {
    if (!this.painting.stroke.value && !this.isRefused(this.refusal)) this.session.redo();
  }

  /** Undoes or redoes so that this step is the last in force; `undefined` is the beginning. */
  goToStep(step: Step | undefined): void {
    if (!this.isRefused(this.refusal)) this.history.goTo(step);
  }

  // ------------------------------------------------------------------------------------------ comments

  /** Begins a comment: at the crosshair where it is on, else where the next press is. */
  startComment(): void {
    if (this.crosshair.value) return this.pin(this.crosshair.value);
    this.comments.draft.value = undefined;
    this.comments.isPlacing.value = !this.comments.isPlacing.value;
    if (this.comments.isPlacing.value)
      this.announcement.value = gettext("Press on the slice where the comment belongs.");
  }

  pin(at: Voxel | undefined): void {
    if (at) this.comments.begin(this.z.value, this.label.value.id, at);
  }

  /** Begins a comment about the whole slice. */
  commentOnSlice(): void {
    this.comments.begin(this.z.value, this.label.value.id);
  }

  goToComment(comment: Comment): void {
    this.goTo(comment.z);
    this.comments.chosen.value = comment.id;
    if (comment.x !== null && comment.y !== null) this.cutThrough(voxel(comment.x, comment.y));
  }

  /** The open comment after the chosen one, going around. */
  goToNextComment(): void {
    const { open, chosen } = this.comments;
    const next = open.value.find(({ id }) => id > (chosen.value ?? 0)) ?? open.value[0];
    if (next) this.goToComment(next);
    else this.announcement.value = gettext("There is no open comment.");
  }

  /** Reads the comments; a case that came back is opened at the first that is open. */
  async openAtComment(): Promise<void> {
    await this.comments.load();
    const [first] = this.comments.open.value;
    if (first && this.progress.now.value.state === "returned") this.goToComment(first);
  }

  // ------------------------------------------------------------------------------------------ conflicts

  /** Shows what waits here over what another window did, and goes where there is some of it; or no longer. */
  compare(): void {
    this.comparing.value = !this.comparing.value;
    const places = this.session.conflict.value?.places ?? [];
    const nearest = places.find(({ z }) => z === this.z.value) ?? places[0];
    if (this.comparing.value && nearest && !places.some((place) => samePlace(place, this.place.value)))
      this.jumpTo(nearest);
  }

  /** Clicks of the place that wait here, numbered apart from those that the server has. */
  private waitingClicks(): PlacedClick[] {
    const lists = this.comparing.value ? this.session.conflict.value?.clicks : undefined;
    return lists ? clicksAt(lists, this.place.value).map((click) => ({ ...click, id: HELD_ID - click.id })) : [];
  }

  private waitingMasks(): LabelMask[] {
    const masks = this.session.conflict.value?.masks;
    return this.assignment.labels.flatMap(({ id, colour }) => {
      const mask = masks?.get(keyOf({ label: id, z: this.z.value }));
      return mask ? [{ label: id, colour, mask }] : [];
    });
  }

  // ------------------------------------------------------------------------------------------ clicking by keyboard

  toggleCrosshair(): void {
    if (this.crosshair.value) return this.leaveCrosshair();
    this.crosshair.value = this.pointed.value ?? this.cut.value;
    this.cutThrough(this.crosshair.value);
    this.announcement.value = gettext("Crosshair on. Arrow keys move it, %(key)s clicks.", {
      key: this.keys.name("click-here"),
    });
  }

  private leaveCrosshair(): void {
    this.session.cancelHold();
    this.crosshair.value = undefined;
  }

  moveCrosshair(dx: number, dy: number): void {
    const at = this.crosshair.value;
    if (!at) return;
    const next = clampVoxel(at.x + dx, at.y + dy, this.grid);
    batch(() => {
      this.crosshair.value = this.pointed.value = next;
      this.cutThrough(next);
      this.session.drag(next.y, next.x);
      this.hovered.value = this.clicks.value.find((click) => sameVoxel(click, next))?.id;
    });
    this.announcement.value = this.readout(next);
  }

  /** Enter: puts down what is held, picks up the click under the crosshair, or clicks there. */
  clickAtCrosshair(background: boolean): void {
    const at = this.crosshair.value;
    if (!at) return;
    if (this.session.held.value) return this.session.release();
    const there = this.clicks.value.find((click) => sameVoxel(click, at));
    this.press(at, there, background);
    const [down, leave] = [this.keys.name("click-here"), this.keys.name("cancel")];
    if (there)
      this.announcement.value = gettext(
        "Click picked up. Arrow keys move it, %(down)s puts it down, %(leave)s leaves it.",
        { down, leave },
      );
    else this.session.release();
  }

  valueAt({ x, y }: Voxel): number | undefined {
    return this.slice.value?.[y * this.grid.columns + x];
  }

  readout(at: Voxel): string {
    return gettext("column %(x)s, row %(y)s, %(value)s HU", { x: at.x, y: at.y, value: this.valueAt(at) ?? "?" });
  }
}

/** The first of these slices above `z`, else the lowest. */
const nextAround = (slices: readonly number[], z: number): number | undefined =>
  slices.find((other) => other > z) ?? slices[0];

const placesWhere = (shown: ReadonlyMap<PlaceKey, Mask>, wanted: (mask: Mask) => boolean): PlaceKey[] =>
  [...shown].filter(([, mask]) => wanted(mask)).map(([key]) => key);

function slicesByLabel(keys: readonly PlaceKey[]): ReadonlyMap<number, readonly number[]> {
  const slices = new Map<number, number[]>();
  for (const { label, z } of keys.map(placeOf)) slices.set(label, [...(slices.get(label) ?? []), z]);
  for (const all of slices.values()) all.sort((a, b) => a - b);
  return slices;
}
