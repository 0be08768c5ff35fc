/** A clock, a socket and a server that do exactly what a test says. */
import { emptyMask, fromPixels, type Mask } from "../../src/protocol/mask";
import { encodeMaskFrame, type MaskFrame } from "../../src/protocol/maskframe";
import {
  type ClientMessage,
  decodeClient,
  encode,
  type ServerMessage,
  type SliceClicks,
} from "../../src/protocol/messages";
import {
  afterwards,
  baseAt,
  clickLists,
  clicksAt,
  type Interaction,
  placeOfClick,
  sinceAt,
} from "../../src/session/clicks";
import type { SocketLike, Timers } from "../../src/live/connection";
import type { OutboxContent, OutboxMirror } from "../../src/session/outbox";
import { Session, type SessionOptions } from "../../src/session/session";

export class FakeTimers implements Timers {
  private time = 0;
  private jobs: { at: number; run: () => void }[] = [];

  now = () => this.time;

  after = (ms: number, run: () => void) => {
    const job = { at: this.time + ms, run };
    this.jobs.push(job);
    return () => {
      this.jobs = this.jobs.filter((other) => other !== job);
    };
  };

  pass(ms: number): void {
    const until = this.time + ms;
    for (let job = this.next(until); job; job = this.next(until)) {
      this.time = job.at;
      this.jobs = this.jobs.filter((other) => other !== job);
      job.run();
    }
    this.time = until;
  }

  private next(until: number) {
    return this.jobs.filter((job) => job.at <= until).sort((a, b) => a.at - b.at)[0];
  }
}

export class FakeSocket implements SocketLike {
  binaryType: BinaryType = "blob";
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  readonly sent: ClientMessage[] = [];
  onSent: (message: ClientMessage) => void = () => {};
  isClosed = false;

  send(frame: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    const message = decodeClient(frame as string);
    this.sent.push(message);
    this.onSent(message);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.onopen?.call(this as unknown as WebSocket, new Event("open"));
  }

  say(message: ServerMessage): void {
    this.deliver(encode(message));
  }

  answer(frame: Partial<MaskFrame>): void {
    this.deliver(encodeMaskFrame({ ...FRAME, ...frame }).buffer as ArrayBuffer);
  }

  deliver(data: string | ArrayBuffer): void {
    this.onmessage?.call(this as unknown as WebSocket, { data } as MessageEvent);
  }

  fail(code = 1006): void {
    this.onclose?.call(this as unknown as WebSocket, { code } as CloseEvent);
  }

  of<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter((message) => message.type === type) as Extract<ClientMessage, { type: T }>[];
  }
}

export const SHAPE = [20, 8, 8] as const;
export const PLACE = { label: 1, z: 5 };
const FRAME: MaskFrame = {
  kind: "stored",
  ...PLACE,
  number: 1,
  modelVersion: 1,
  networkMs: 20,
  totalMs: 25,
  mask: emptyMask(SHAPE[1], SHAPE[2]),
};

/** Masks that can be told apart: the first `n` pixels. */
export function maskOf(n: number): Mask {
  const pixels = new Uint8Array(SHAPE[1] * SHAPE[2]).fill(1, 0, n);
  return fromPixels(pixels, SHAPE[1], SHAPE[2]);
}

export class MemoryMirror implements OutboxMirror {
  content: OutboxContent = { entries: [], firstSent: false };
  load = () => this.content;
  save = (content: OutboxContent) => {
    this.content = content;
  };
}

export class Desk {
  readonly timers = new FakeTimers();
  readonly sockets: FakeSocket[] = [];
  readonly mirror: MemoryMirror;
  readonly session: Session;
  saved: readonly MaskFrame[] = [];
  onSocket: (socket: FakeSocket) => void = () => {};

  constructor(mirror = new MemoryMirror(), options: Partial<SessionOptions> = {}) {
    this.mirror = mirror;
    this.session = new Session({
      open: () => this.newSocket(),
      loadMasks: async () => this.saved,
      outbox: mirror,
      timers: this.timers,
      random: () => 0.5,
      window: "here",
      shape: SHAPE,
      labels: [1, 2],
      ...options,
    });
    this.session.start();
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }

  connect(welcome: Partial<Extract<ServerMessage, { type: "welcome" }>> = {}): FakeSocket {
    this.socket.open();
    this.socket.say(welcomeOf(welcome));
    return this.socket;
  }

  /** A press and release without a drag. */
  click(y: number, x: number, place = PLACE, positive = true): void {
    this.session.hold({ ...place, click: undefined, y, x, positive });
    this.session.release();
  }

  private newSocket(): FakeSocket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    this.onSocket(socket);
    return socket;
  }
}

export const welcomeOf = (given: Partial<Extract<ServerMessage, { type: "welcome" }>> = {}): ServerMessage => ({
  type: "welcome",
  protocol: 3,
  last_sequence: 0,
  can_undo: false,
  can_redo: false,
  inference: "ready",
  model: "test",
  clicks: [],
  locked: [],
  ...given,
});

type Stored = Extract<ServerMessage, { type: "stored" }>;

/** About one slice, unless `slices` are given. */
export const storedOf = (given: Partial<Stored & SliceClicks> = {}): ServerMessage => {
  const { label, z, base, since, unconfirmed, clicks, ...rest } = given;
  const here: SliceClicks = {
    label: label ?? PLACE.label,
    z: z ?? PLACE.z,
    base: base ?? 0,
    since: since ?? rest.sequence ?? 1,
    unconfirmed: unconfirmed ?? false,
    clicks: clicks ?? [{ id: 1, y: 1, x: 1, positive: true }],
  };
  return { type: "stored", sequence: 1, kind: "add_click", slices: [here], can_undo: true, can_redo: false, ...rest };
};

/** The same, as another window hears it. */
export const changedOf = (given: Parameters<typeof storedOf>[0] = {}): ServerMessage =>
  ({ ...storedOf(given), type: "changed" }) as ServerMessage;

/** The rules of the log: numbers without gaps, a resend of the same content is answered as the first time. */
export class FakeServer {
  readonly log: Interaction[] = [];

  answer(message: ClientMessage): ServerMessage | undefined {
    if (message.type === "hello") return this.welcome();
    return "sequence" in message ? this.store(message) : undefined;
  }

  lists() {
    return afterwards(clickLists([]), this.log);
  }

  private welcome(): ServerMessage {
    return welcomeOf({
      last_sequence: this.log.length,
      clicks: [...this.lists().values()],
      can_undo: this.log.length > 0,
    });
  }

  private store(message: Interaction): ServerMessage {
    const known = this.log[message.sequence - 1];
    if (known && encode(known) !== encode(message)) return refusal("sequence_taken", message.sequence);
    if (!known && message.sequence !== this.log.length + 1) return refusal("malformed", message.sequence);
    const before = this.lists();
    if (!known) this.log.push(message);
    const place = "click" in message ? placeOfClick(before, message.click) : "label" in message ? message : PLACE;
    if (!place) return refusal("unknown_click", message.sequence);
    const { label, z } = place;
    return storedOf({
      sequence: message.sequence,
      kind: message.type,
      label,
      z,
      base: baseAt(this.lists(), place),
      since: sinceAt(this.lists(), place),
      unconfirmed: false,
      clicks: clicksAt(this.lists(), place),
    });
  }
}

export const refusal = (code: string, sequence: number, request = 0): ServerMessage => ({
  type: "error",
  code,
  message: `No: ${code}.`,
  sequence,
  request,
});
