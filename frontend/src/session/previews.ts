/** Previews of a held click: at most one on its way and one waiting, and only the newest waits. */
import type { PreviewClick } from "../protocol/messages";
import type { Timers } from "../live/connection";
import { type Place, samePlace } from "./place";

export interface Question extends Place {
  readonly base: number;
  readonly clicks: readonly PreviewClick[];
  /** The press that it belongs to. */
  readonly gesture: number;
}

interface Asked extends Question {
  readonly request: number;
  readonly sentAt: number;
}

/** A worker that died with the question must not stop the next one. */
const GIVEN_UP_AFTER_MS = 3000;

export class Previews {
  private readonly send: (request: number, question: Question) => boolean;
  private readonly timers: Timers;
  private lastRequest = 0;
  private asked: Asked | undefined;
  private waiting: Question | undefined;
  private cancelGiveUp: () => void = () => {};

  constructor(send: (request: number, question: Question) => boolean, timers: Timers) {
    this.send = send;
    this.timers = timers;
  }

  ask(question: Question): void {
    if (this.asked) this.waiting = question;
    else this.put(question);
  }

  /** The question that an answer belongs to, if it is still open; then the waiting one goes out. */
  answered(request: number): Asked | undefined {
    if (this.asked?.request !== request) return undefined;
    const answered = this.asked;
    this.next();
    return answered;
  }

  /** The press is over: what waits is no longer of interest. */
  forgetWaiting(): void {
    this.waiting = undefined;
  }

  /** The server has answered something newer for this place and may have skipped the preview. */
  superseded(place: Place): void {
    if (this.asked && samePlace(this.asked, place)) this.next();
  }

  /** Nobody will answer what was asked. The counter goes on, so that no answer is ever taken for another's. */
  reset(): void {
    this.cancelGiveUp();
    this.asked = this.waiting = undefined;
  }

  private next(): void {
    this.cancelGiveUp();
    this.asked = undefined;
    const question = this.waiting;
    this.waiting = undefined;
    if (question) this.put(question);
  }

  private put(question: Question): void {
    const request = ++this.lastRequest;
    if (!this.send(request, question)) return;
    this.asked = { ...question, request, sentAt: this.timers.now() };
    this.cancelGiveUp = this.timers.after(GIVEN_UP_AFTER_MS, () => this.next());
  }
}
