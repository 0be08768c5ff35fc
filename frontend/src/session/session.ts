/**
 * One person at one assignment: sends what is clicked, keeps what the server has not acknowledged, and knows which clicks
 * and which masks to show. No DOM in here; sockets, clock and storage come in as arguments.
 */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { type Mask, maskFromText, maskToText } from "../protocol/mask";
import { decodeMaskFrame, type MaskFrame } from "../protocol/maskframe";
import {
  type Changed,
  type ClientMessage,
  decodeServer,
  type ErrorMessage,
  encode,
  type Lease,
  type LockedLabel,
  type PlacedClick,
  PROTOCOL_VERSION,
  type Saved,
  type ServerMessage,
  type SliceClicks,
  type Stored,
  type Welcome,
} from "../protocol/messages";
import {
  afterwards,
  baseAt,
  type ClickLists,
  clickLists,
  clicksAt,
  type HeldClick,
  type Interaction,
  placeOfClick,
  sameClicks,
  sinceAt,
  toPreview,
  withHeld,
  withList,
} from "./clicks";
import { type Conflict, conflictOf } from "./conflict";
import { Connection, type SocketLike, type Timers } from "../live/connection";
import { Masks } from "./masks";
import { Notices } from "./notices";
import { Outbox, type OutboxMirror, type Unnumbered } from "./outbox";
import { keyOf, type Place, type PlaceKey, samePlace } from "./place";
import { Previews, type Question } from "./previews";
import { Timing } from "./timing";
import { Unsaved } from "./unsaved";
import { gettext } from "../words";

export interface SessionOptions {
  /** This window's own name, another one whenever the page is loaded. */
  readonly window: string;
  readonly open: () => SocketLike;
  readonly loadMasks: () => Promise<readonly MaskFrame[]>;
  readonly outbox: OutboxMirror;
  readonly timers: Timers;
  readonly random: () => number;
  /** Number of slices, rows and columns: what any mask or click must fit. */
  readonly shape: readonly [number, number, number];
  readonly labels: readonly number[];
}

export type ConnectionState = "connecting" | "connected" | "reconnecting" | "offline" | "ended";
export type SaveState = "saved" | "saving" | "unsaved";

/** A slice is encoded ahead only once scrolling has come to rest there. */
const VIEW_RESTS_MS = 60;
/** A server that does not acknowledge for so long is taken for a dead connection. */
const UNANSWERED_MS = 10_000;
const OFFLINE_AFTER_FAILURES = 4;
/** Time for a `saved` mask that was missed on the socket to be readable over HTTP, and for more of them to come. */
const RELOAD_MS = 300;

export class Session {
  readonly masks = new Masks();
  readonly timing = new Timing();
  readonly notices: Notices;
  readonly inference = signal<"ready" | "away">("ready");
  readonly model = signal("");
  readonly held = signal<HeldClick | undefined>(undefined);
  /** Where the last undo or redo took effect, so that the screen can go there. */
  readonly jump = signal<Place | undefined>(undefined);
  readonly online = signal(true);
  /** Where a person has clicked or painted last, as soon as it is stored. */
  readonly worked = signal<Place | undefined>(undefined);
  /** The newest interaction known to be in the server's log. */
  readonly logged = signal(0);
  /** Who works on the case. Until the server has told, this window is taken to be it. */
  readonly lease = signal<Omit<Lease, "type">>({ mine: true, person: "", since: "" });
  /** Whether this window had the lease and another has taken it. */
  readonly wasTaken = signal(false);
  /** While there is one, nothing is sent: the person chooses what becomes of what waits. */
  readonly conflict = signal<Conflict | undefined>(undefined);
  /** What of the case is another by now and is read over HTTP; a new object each time. */
  readonly news = signal<{ readonly what: string } | undefined>(undefined);
  /** Labels whose masks nothing may change, nor take a voxel from. */
  readonly locked = signal<ReadonlySet<number>>(new Set());

  readonly waiting: ReadonlySignal<readonly Interaction[]>;
  readonly clicks: ReadonlySignal<ClickLists>;
  readonly canUndo: ReadonlySignal<boolean>;
  readonly canRedo: ReadonlySignal<boolean>;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly saving: ReadonlySignal<SaveState>;

  readonly timers: Timers;
  private readonly options: SessionOptions;
  private readonly link: Connection;
  private readonly outbox: Outbox;
  private readonly previews: Previews;
  private readonly stored = signal<ClickLists>(new Map());
  private readonly steps = signal({ undo: false, redo: false });
  private readonly welcomed = signal(false);
  private readonly everWelcomed = signal(false);
  private readonly unsaved = new Unsaved();
  private readonly sent = new Map<number, { readonly at: number; readonly place: Place | undefined }>();
  /** The masks that the person saw of what is not stored yet. */
  private readonly seen = new Map<PlaceKey, Mask>();
  /** Whether everything that waits was made here, before the first connection told how far the log goes. */
  private isUnnumbered: boolean;
  private gesture = 0;
  private propagation: { readonly sequence: number; readonly resolve: (outcome: string) => void } | undefined;
  private viewed: Place | undefined;
  private cancelView: () => void = () => {};
  private cancelWatch: () => void = () => {};
  private cancelReload: () => void = () => {};

  constructor(options: SessionOptions) {
    this.options = options;
    const { timers } = options;
    this.timers = timers;
    this.notices = new Notices(timers);
    this.outbox = new Outbox(options.outbox);
    this.isUnnumbered = this.outbox.first === undefined;
    this.waiting = this.outbox.entries;
    this.previews = new Previews((request, question) => this.sendPreview(request, question), timers);
    this.link = new Connection({
      open: options.open,
      timers,
      random: options.random,
      onOpen: () => this.hello(),
      onClose: () => this.disconnected(),
      onText: (frame) => this.understand(() => this.receive(decodeServer(frame))),
      onBinary: (frame) => this.understand(() => this.receiveMask(decodeMaskFrame(frame))),
    });
    this.clicks = computed(() => afterwards(this.stored.value, this.conflict.value ? [] : this.waiting.value));
    this.canUndo = computed(() => this.steps.value.undo || this.waiting.value.some((entry) => entry.type !== "undo"));
    this.canRedo = computed(() => this.steps.value.redo || this.waiting.value.at(-1)?.type === "undo");
    this.connection = computed(() => this.connectionState());
    this.saving = computed(() => this.saveState());
  }

  start(): void {
    this.link.start();
    void this.reloadMasks();
  }

  end(): void {
    this.link.end();
  }

  setOnline(online: boolean): void {
    this.online.value = online;
    if (online) this.link.wake();
  }

  // ------------------------------------------------------------------------------------------ what the person does

  /** The clicks of a place as they are to be drawn. */
  clicksOnScreen(place: Place): readonly PlacedClick[] {
    return withHeld(clicksAt(this.clicks.value, place), place, this.held.value);
  }

  view(place: Place): void {
    this.viewed = place;
    this.cancelView();
    this.cancelView = this.options.timers.after(VIEW_RESTS_MS, () => this.sendView());
  }

  /** Presses a new click or grabs one that is there. */
  hold(held: HeldClick): void {
    this.cancelHold();
    this.gesture += 1;
    this.timing.startDrag();
    this.held.value = held;
    if (held.click === undefined) this.askPreview(held);
  }

  drag(y: number, x: number): void {
    const held = this.held.value;
    if (!held || (held.y === y && held.x === x)) return;
    this.held.value = { ...held, y, x };
    this.askPreview(held);
  }

  /** Lets go: the whole press is one interaction, and none where a click was put back where it lay. */
  release(): void {
    const held = this.held.value;
    if (!held) return;
    const { click, label, z, y, x, positive } = held;
    if (click === undefined) this.commit(held, { type: "add_click", label, z, y, x, positive });
    else if (this.hasMoved(held)) this.commit(held, { type: "move_click", click, y, x });
    else this.cancelHold();
  }

  cancelHold(): void {
    const held = this.held.value;
    if (!held) return;
    batch(() => {
      this.endHold();
      this.masks.dropLive(held);
    });
  }

  deleteClick(id: number): void {
    if (placeOfClick(this.clicks.value, id)) this.submit({ type: "delete_click", click: id });
  }

  /** The interaction that a place's mask comes from; undefined where only the server's answer will tell. */
  sinceAt(place: Place): number | undefined {
    const isOpen = this.waiting.value.some(({ type }) => type === "undo" || type === "redo" || type === "propagate");
    return isOpen ? undefined : sinceAt(this.clicks.value, place);
  }

  /** The slice's mask is now this one, by the person's own hand, over that which came from `over`; clicks go on from it. */
  paint(place: Place, tool: string, mask: Mask, over = this.sinceAt(place)): void {
    this.cancelHold();
    const { label, z } = place;
    const since = over ?? this.outbox.next(this.logged.value);
    batch(() => {
      const { sequence } = this.submit({ type: "paint", label, z, tool, mask: maskToText(mask), since });
      this.masks.commit(place, mask, sequence);
      this.seen.set(keyOf(place), mask);
    });
  }

  /**
   * Asks for the mask of a place as it follows from that of the slice `source` beside it, drawn towards that of the slice
   * `ahead` (`z` itself: none), and with `better` only for one that the model believes in more than in what is there. What
   * became of it: "stored", or the code of a refusal: "ended".
   */
  propagate({ label, z }: Place, source: number, ahead: number, better: boolean): Promise<string> {
    this.cancelHold();
    return new Promise((resolve) => {
      this.propagation = {
        sequence: this.submit({ type: "propagate", label, z, source, ahead, better }).sequence,
        resolve,
      };
    });
  }

  /** Takes effect with the server's answer, in every window. */
  lock(label: number, locked: boolean): void {
    if (!this.welcomed.value || !this.send({ type: "lock", label, locked }))
      this.notices.say(gettext("Labels can be locked and unlocked only while the server is there."));
  }

  /** While a click is held, undo takes back the press and nothing else. */
  undo(steps = 1): void {
    if (this.held.value) this.cancelHold();
    else if (this.canUndo.value) this.submit({ type: "undo", steps });
  }

  redo(steps = 1): void {
    if (!this.held.value && this.canRedo.value) this.submit({ type: "redo", steps });
  }

  /** Shows the mask that other clicks than the present ones make, and changes nothing. */
  rehearse({ label, z, base, clicks }: SliceClicks): void {
    this.cancelHold();
    this.gesture += 1;
    this.previews.ask({ label, z, base, clicks: toPreview(clicks), gesture: this.gesture });
  }

  endRehearsal(place: Place): void {
    this.gesture += 1;
    this.previews.forgetWaiting();
    this.masks.dropLive(place);
  }

  /** Goes on in this window; the one that works on the case now looks on from then. */
  workHere(): void {
    if (!this.send({ type: "take_over" }))
      this.notices.say(gettext("The server cannot be reached now. Try again in a moment."));
  }

  /** What waits here is added after what the other window did, so that undo reaches both. */
  keepMine(): void {
    if (!this.conflict.value) return;
    batch(() => {
      this.conflict.value = undefined;
      this.follow(this.outbox.rebase(this.logged.value + 1));
      for (const entry of this.waiting.value)
        if (entry.type === "paint") this.masks.commit(entry, maskFromText(entry.mask), entry.sequence);
    });
    if (this.lease.value.mine) this.flush();
    else this.workHere();
  }

  /** What waits here is dropped; what the other window did stays. */
  takeTheirs(): void {
    batch(() => {
      for (const { sequence } of this.waiting.value) this.propagated(sequence, "dropped");
      this.outbox.clear();
      this.seen.clear();
      this.conflict.value = undefined;
    });
  }

  private commit(held: HeldClick, interaction: Unnumbered): void {
    batch(() => {
      this.endHold();
      const { sequence } = this.submit(interaction);
      this.masks.commitLive(held, sequence);
      this.remember(held);
    });
  }

  private remember(place: Place): void {
    const mask = this.masks.at(place);
    if (mask) this.seen.set(keyOf(place), mask);
  }

  private endHold(): void {
    this.held.value = undefined;
    this.gesture += 1;
    this.previews.forgetWaiting();
  }

  private hasMoved(held: HeldClick): boolean {
    const before = clicksAt(this.clicks.value, held).find((click) => click.id === held.click);
    return before !== undefined && (before.y !== held.y || before.x !== held.x);
  }

  private submit(interaction: Unnumbered): Interaction {
    const numbered = this.outbox.add(interaction, this.logged.value);
    this.flush();
    return this.waiting.value.at(-1) ?? numbered;
  }

  // ------------------------------------------------------------------------------------------ sending

  private hello(): void {
    this.send({ type: "hello", protocol: PROTOCOL_VERSION, window: this.options.window });
  }

  private send(message: ClientMessage): boolean {
    return this.link.send(encode(message));
  }

  private sendView(): void {
    if (this.viewed && this.welcomed.value) this.send({ type: "view", label: this.viewed.label, z: this.viewed.z });
  }

  private askPreview(place: Place): void {
    const clicks = toPreview(this.clicksOnScreen(place));
    const base = baseAt(this.clicks.value, place);
    this.previews.ask({ label: place.label, z: place.z, base, clicks, gesture: this.gesture });
  }

  private sendPreview(request: number, { label, z, base, clicks }: Question): boolean {
    if (!this.welcomed.value || this.inference.value === "away" || base > this.logged.value) return false;
    return this.send({ type: "preview", request, label, z, base, clicks });
  }

  /** Sends the first unacknowledged interaction, if it is not on its way already and was made on the log as it is. */
  private flush(): void {
    const { first } = this.outbox;
    if (!this.welcomed.value || !first || this.outbox.isFirstSent || this.conflict.value) return;
    if (first.sequence <= this.logged.value) return this.meetConflict();
    if (!this.lease.value.mine) return;
    this.follow(this.outbox.renumber(this.logged.value + 1));
    this.outbox.markFirstSent();
    this.sendFirst();
  }

  /** Another window has worked on the case since what waits here was made. */
  private meetConflict(): void {
    this.cancelHold();
    const found = conflictOf(this.waiting.value, (entry) => this.placeOf(entry), this.seen);
    for (const place of found.places) this.masks.dropCommitted(place);
    this.conflict.value = found;
  }

  private sendFirst(): void {
    const first = this.outbox.first;
    if (!first) return;
    this.sent.set(first.sequence, { at: this.options.timers.now(), place: this.placeOf(first) });
    this.send(first);
    this.cancelWatch();
    this.cancelWatch = this.options.timers.after(UNANSWERED_MS, () => this.link.restart());
  }

  private placeOf(interaction: Interaction): Place | undefined {
    if (interaction.type === "add_click" || interaction.type === "paint" || interaction.type === "propagate")
      return interaction;
    return "click" in interaction ? placeOfClick(this.clicks.value, interaction.click) : undefined;
  }

  /** A click that is being dragged keeps its identity when its number changes. */
  private follow(numbers: ReadonlyMap<number, number>): void {
    const renumbered = this.propagation && numbers.get(this.propagation.sequence);
    if (this.propagation && renumbered !== undefined) this.propagation = { ...this.propagation, sequence: renumbered };
    const held = this.held.value;
    if (held?.click === undefined) return;
    const click = numbers.get(held.click);
    if (click !== undefined && click !== held.click) this.held.value = { ...held, click };
  }

  // ------------------------------------------------------------------------------------------ receiving

  private understand(read: () => void): void {
    try {
      batch(read);
    } catch (error) {
      this.notices.say(
        `${gettext("The server sent something that this page does not understand.")} ${(error as Error).message}`,
      );
    }
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        return this.receiveWelcome(message);
      case "stored":
        return this.receiveStored(message);
      case "changed":
        return this.receiveChanged(message);
      case "saved":
        return this.receiveSaved(message);
      case "locks":
        return this.setLocked(message.labels);
      case "lease":
        return this.receiveLease(message);
      case "news":
        this.news.value = { what: message.what };
        return;
      case "inference":
        return this.setInference(message.state);
      case "error":
        return this.receiveError(message);
    }
  }

  private receiveWelcome(message: Welcome): void {
    const again = this.everWelcomed.value;
    this.logged.value = message.last_sequence;
    this.steps.value = { undo: message.can_undo, redo: message.can_redo };
    this.stored.value = clickLists(message.clicks);
    this.setLocked(message.locked);
    this.model.value = message.model;
    this.unsaved.clear(); // whatever the log holds is safe; `saved` for it may never come to this connection
    this.setInference(message.inference);
    this.welcomed.value = this.everWelcomed.value = true;
    if (again) void this.reloadMasks();
    this.sendView();
    if (this.isUnnumbered) this.follow(this.outbox.renumber(message.last_sequence + 1));
    this.isUnnumbered = false;
    if (this.outbox.isFirstSent) this.sendFirst();
    else this.flush();
  }

  /** Whoever comes to work asks first what the window before did. */
  private receiveLease({ mine, person, since }: Lease): void {
    const had = this.lease.value.mine;
    this.lease.value = { mine, person, since };
    if (!mine) this.cancelHold();
    if (had !== mine) this.wasTaken.value = had && this.everWelcomed.value && person !== "";
    if (mine && !had && this.welcomed.value) this.greetAgain();
  }

  private receiveStored(message: Stored): void {
    const { sequence } = message;
    const ours = this.outbox.acknowledge(sequence);
    if (ours) this.cancelWatch();
    if (!this.outbox.first) this.seen.clear();
    // The answer to a resend may describe the log as it was then, and `welcome` has told of later interactions since.
    if (sequence >= this.logged.value) this.takeOver(message);
    this.propagated(sequence, "stored");
    if (message.kind === "undo" || message.kind === "redo") this.goBack(message);
    else if (ours && changesMask(ours)) this.worked.value = message.slices[0];
    this.flush();
  }

  private takeOver(message: Stored): void {
    const { sequence, slices } = message;
    this.advance(message);
    for (const slice of slices) this.unsaved.add(slice, sequence);
    const sent = this.sent.get(sequence);
    const [only, ...others] = slices;
    if (sent) this.sent.set(sequence, { ...sent, place: others.length ? undefined : only });
  }

  /** What another window did; its masks come as frames. Where one of its messages got lost, everything is asked for. */
  private receiveChanged(message: Changed): void {
    if (message.sequence === this.logged.value + 1) this.advance(message);
    else if (message.sequence > this.logged.value) this.greetAgain();
    this.flush();
  }

  /** The log is one interaction longer. */
  private advance({ sequence, slices, can_undo, can_redo }: Stored | Changed): void {
    this.logged.value = sequence;
    this.stored.value = slices.reduce(withList, this.stored.value);
    this.steps.value = { undo: can_undo, redo: can_redo };
    for (const slice of slices) this.masks.markStored(slice, sequence);
  }

  private goBack({ slices }: Stored): void {
    for (const slice of slices) this.masks.dropCommitted(slice);
    const [first] = slices;
    if (first) this.jump.value = { label: first.label, z: first.z };
  }

  private receiveSaved(message: Saved): void {
    this.unsaved.saved(message, message.sequence);
    if (this.masks.keptNumber(message) < message.sequence) this.reloadSoon();
  }

  private setLocked(labels: readonly LockedLabel[]): void {
    this.locked.value = new Set(labels.map(({ label }) => label));
  }

  private setInference(state: string): void {
    this.inference.value = state === "ready" ? "ready" : "away";
    if (state !== "ready") this.previews.reset();
  }

  private receiveError(message: ErrorMessage): void {
    if (message.code === "sequence_taken") return this.lookAgain();
    if (message.code === "lease") return this.leaseIsLost(message);
    if (message.code !== "ended") this.notices.say(message.message);
    if (message.code === "protocol_version") this.link.end();
    if (message.request) this.previews.answered(message.request);
    if (message.sequence) this.refused(message);
  }

  private propagated(sequence: number, outcome: string): void {
    if (this.propagation?.sequence !== sequence) return;
    this.propagation.resolve(outcome);
    this.propagation = undefined;
  }

  /** Another window stored this number, and nothing of ours was stored: `welcome` will tell what it did. */
  private lookAgain(): void {
    this.unsend();
    this.greetAgain();
  }

  /** Nothing of ours was stored: it waits until this window works again. A propagation is not worth waiting for. */
  private leaseIsLost(message: ErrorMessage): void {
    this.lease.value = { ...this.lease.value, mine: false };
    this.unsend();
    if (this.outbox.first?.type === "propagate") this.refused(message);
  }

  private unsend(): void {
    this.cancelWatch();
    if (this.outbox.first) this.sent.delete(this.outbox.first.sequence);
    this.outbox.markFirstUnsent();
  }

  private greetAgain(): void {
    this.welcomed.value = false;
    this.hello();
  }

  private refused({ code, sequence }: ErrorMessage): void {
    this.propagated(sequence, code);
    const place = this.sent.get(sequence)?.place;
    const entry = this.outbox.refuse(sequence);
    if (entry) this.cancelWatch();
    if (place) this.masks.dropCommitted(place);
    if (place && code === "inference") this.unsaved.saved(place, sequence);
    this.flush();
  }

  private receiveMask(frame: MaskFrame): void {
    if (!this.fits(frame)) throw new Error("A mask does not fit this series.");
    if (frame.kind === "preview") this.receivePreview(frame);
    else this.receiveAnswer(frame);
  }

  private fits({ z, label, mask }: MaskFrame): boolean {
    const [depth, height, width] = this.options.shape;
    return z < depth && mask.height === height && mask.width === width && this.options.labels.includes(label);
  }

  private receiveAnswer(frame: MaskFrame): void {
    const sent = this.sent.get(frame.number);
    if (sent?.place && !samePlace(sent.place, frame)) return; // not about what it claims to be about
    this.previews.superseded(frame);
    if (!this.masks.keep(frame, frame.number, frame.mask)) return;
    if (sent) this.timing.answered(frame, sent.at, this.options.timers.now());
    this.sent.delete(frame.number);
  }

  private receivePreview(frame: MaskFrame): void {
    const question = this.previews.answered(frame.number);
    if (!question || !samePlace(question, frame)) return;
    const now = this.options.timers.now();
    if (!this.showPreview(question, frame)) return;
    this.timing.answered(frame, question.sentAt, now);
    this.timing.previewShown(now);
  }

  private showPreview(question: Question, { mask }: MaskFrame): boolean {
    if (question.gesture === this.gesture) {
      this.masks.showLive(question, mask);
      return true;
    }
    const now = toPreview(clicksAt(this.clicks.value, question));
    if (!sameClicks(question.clicks, now) || !this.masks.showCommitted(question, mask)) return false;
    this.remember(question);
    return true;
  }

  private disconnected(): void {
    batch(() => {
      this.welcomed.value = false;
      this.previews.reset();
      this.cancelWatch();
    });
  }

  // ------------------------------------------------------------------------------------------ saved masks over HTTP

  private reloadSoon(): void {
    this.cancelReload();
    this.cancelReload = this.options.timers.after(RELOAD_MS, () => void this.reloadMasks());
  }

  private async reloadMasks(): Promise<void> {
    try {
      const frames = (await this.options.loadMasks()).filter((frame) => this.fits(frame));
      batch(() => {
        this.masks.keepAll(frames);
        for (const frame of frames) this.unsaved.saved(frame, frame.number);
      });
    } catch {
      this.notices.say(gettext("The saved masks could not be loaded. Reload the page to see them."));
    }
  }

  // ------------------------------------------------------------------------------------------ what the person is told

  /** Why this window changes nothing now, whoever its person is; undefined where it may. */
  get refusal(): string | undefined {
    if (!this.everWelcomed.value) return gettext("The case is still being opened. Try again in a moment.");
    if (this.conflict.value) return gettext("Choose first what becomes of your changes that wait here.");
    return this.lease.value.mine
      ? undefined
      : gettext("This case is open in another window. Work here to change it in this one.");
  }

  private connectionState(): ConnectionState {
    if (this.link.state.value === "ended") return "ended";
    if (this.welcomed.value) return "connected";
    if (!this.online.value || this.link.failures.value >= OFFLINE_AFTER_FAILURES) return "offline";
    return this.everWelcomed.value ? "reconnecting" : "connecting";
  }

  private saveState(): SaveState {
    if (this.waiting.value.length > 0) return this.connection.value === "connected" ? "saving" : "unsaved";
    return this.unsaved.isEmpty ? "saved" : "saving";
  }
}

/** Whether a person has made the slice another than it was. */
function changesMask(interaction: Interaction): boolean {
  return interaction.type !== "propagate" && !(interaction.type === "paint" && interaction.tool === "accept");
}
