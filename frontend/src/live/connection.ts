/** A WebSocket that comes back: exponential backoff with jitter, and at once when the browser says it is online again. */
import { signal } from "@preact/signals-core";

export type SocketLike = Pick<WebSocket, "send" | "close" | "binaryType" | "onopen" | "onmessage" | "onclose">;
export type LinkState = "connecting" | "open" | "waiting" | "ended";

export interface Timers {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

export interface ConnectionOptions {
  readonly open: () => SocketLike;
  readonly timers: Timers;
  readonly random: () => number;
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly onText: (frame: string) => void;
  readonly onBinary: (frame: Uint8Array) => void;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** Close codes of the application that mean "do not come back": signed out, no permission, gone. */
const isFinal = (code: number): boolean => code >= 4400 && code < 4500;

export const browserTimers: Timers = {
  now: () => performance.now(),
  after: (ms, run) => {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

/** A socket of this site. */
export const socketAt = (path: string): WebSocket => new WebSocket(location.origin.replace(/^http/, "ws") + path);

/** Hands over every text that a socket says, for as long as the page is open. */
export function listen(open: () => SocketLike, onText: (frame: string) => void): void {
  const nothing = () => {};
  const rest = { timers: browserTimers, random: Math.random, onOpen: nothing, onClose: nothing, onBinary: nothing };
  const connection = new Connection({ open, onText, ...rest });
  window.addEventListener("online", () => connection.wake());
  connection.start();
}

export class Connection {
  readonly state = signal<LinkState>("connecting");
  /** Failed attempts since the last open connection. */
  readonly failures = signal(0);
  private readonly options: ConnectionOptions;
  private socket: SocketLike | undefined;
  private cancelRetry: () => void = () => {};

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  start(): void {
    this.cancelRetry();
    this.state.value = "connecting";
    const socket = this.options.open();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => this.received(data);
    socket.onclose = ({ code }) => this.closed(code);
    this.socket = socket;
  }

  /** False where nothing could be sent; whoever must not lose the frame sends it again once open. */
  send(frame: string): boolean {
    if (this.state.value !== "open") return false;
    this.socket?.send(frame);
    return true;
  }

  /** Gives up a connection that no longer answers and opens another one. */
  restart(): void {
    if (this.state.value === "ended") return;
    this.drop();
    this.start();
  }

  /** The browser is online again: do not sit out the rest of a long delay. */
  wake(): void {
    if (this.state.value === "waiting") this.start();
  }

  end(): void {
    this.drop();
    this.state.value = "ended";
  }

  private opened(): void {
    this.state.value = "open";
    this.failures.value = 0;
    this.options.onOpen();
  }

  private received(data: unknown): void {
    if (typeof data === "string") this.options.onText(data);
    else this.options.onBinary(new Uint8Array(data as ArrayBuffer));
  }

  private closed(code: number): void {
    this.drop();
    if (isFinal(code)) {
      this.state.value = "ended";
      return;
    }
    this.state.value = "waiting";
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures.value);
    this.failures.value += 1;
    this.cancelRetry = this.options.timers.after(delay * (0.5 + this.options.random() / 2), () => this.start());
  }

  private drop(): void {
    this.cancelRetry();
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.options.onClose();
  }
}
