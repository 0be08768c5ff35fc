/** Where the case stands on its way to an accepted segmentation, and what this person can do about that. */
import { signal } from "@preact/signals-core";
import type { Session } from "../session/session";
import type { Assignment } from "./assignment";
import { gettext } from "../words";

/** As `annotator/annotation/progress.py` has them. */
export const STATES = {
  assigned: gettext("new"),
  in_progress: gettext("in progress"),
  submitted: gettext("submitted"),
  returned: gettext("returned"),
  accepted: gettext("accepted"),
  skipped: gettext("skipped"),
  handed_back: gettext("handed back"),
} as const;
export type State = keyof typeof STATES;
/** Those in which the annotator works on the case. */
export const OPEN: readonly State[] = ["assigned", "in_progress", "returned"];

interface Move {
  readonly name: string;
  /** What the person is asked before, where the move needs a reason. */
  readonly asks?: string;
}

export const MOVES = {
  submit: { name: gettext("Submit") },
  take_back: { name: gettext("Take back") },
  accept: { name: gettext("Accept") },
  return: { name: gettext("Return"), asks: gettext("What is to be done again?") },
  reopen: { name: gettext("Reopen"), asks: gettext("Why is it opened again?") },
  skip: { name: gettext("Skip"), asks: gettext("Why can this case not be done?") },
  hand_back: { name: gettext("Hand back") },
  withdraw: { name: gettext("Withdraw") },
} as const satisfies Readonly<Record<string, Move>>;
export type MoveName = keyof typeof MOVES;

export interface Standing {
  readonly state: State;
  /** Why this person may not change masks now; null where they may. */
  readonly refusal: string | null;
  readonly moves: readonly MoveName[];
  /** Whether this person may edit a copy of their own. */
  readonly revisable: boolean;
  /** The last reason that somebody gave for a move. */
  readonly reason: { readonly text: string; readonly person: string; readonly state: State } | null;
}

/** Every call rejects with a sentence. */
export interface ProgressApi {
  readonly move: (move: MoveName, reason: string) => Promise<Standing>;
  readonly load: () => Promise<Standing>;
  /** Makes the person's own copy, to be edited; its address. */
  readonly revise: () => Promise<string>;
}

/** Moves after which a reviewer goes on to the next case. */
const REVIEWED: readonly MoveName[] = ["accept", "return"];

export class Progress {
  readonly now;
  /** The move whose reason the person is asked for. */
  readonly asking = signal<MoveName | undefined>(undefined);
  readonly isMoving = signal(false);
  private readonly session: Session;
  private readonly api: ProgressApi;
  private readonly isReview: (move: MoveName) => boolean;
  private readonly go: (address: string) => void;
  private readonly nextReview: string;

  /** `go` leaves for another page. A revision that is submitted is a review that is done. */
  constructor(
    { progress, kind, links }: Pick<Assignment, "progress" | "kind" | "links">,
    session: Session,
    api: ProgressApi,
    go: (address: string) => void,
  ) {
    this.now = signal(progress);
    [this.session, this.api, this.go, this.nextReview] = [session, api, go, links.review];
    this.isReview = (move) => REVIEWED.includes(move) || (kind === "revision" && move === "submit");
  }

  /** Why no mask can be changed, in the server's words, where that is so. */
  get refusal(): string | undefined {
    return this.now.value.refusal ?? undefined;
  }

  /** Another window, another person or a first click has moved the case. */
  async reload(): Promise<void> {
    try {
      this.now.value = await this.api.load();
    } catch (error) {
      this.session.notices.say((error as Error).message);
    }
  }

  /** Makes a move, or asks for its reason first. Nothing moves while work is on its way to the server. */
  request(move: MoveName): void {
    if (this.now.value.moves.includes(move) && this.isFree()) {
      if ("asks" in MOVES[move]) this.asking.value = move;
      else void this.make(move, "");
    }
  }

  /** The move by which this person is done with the case: its annotator submits it, its reviewer accepts it. */
  finish(): void {
    this.request(this.now.value.moves.includes("accept") ? "accept" : "submit");
  }

  /** The person's answer, with what the move needs; without one things stay as they are. */
  answer(reason: string | undefined): void {
    const move = this.asking.value;
    this.asking.value = undefined;
    if (move && reason !== undefined) void this.make(move, reason);
  }

  /** Opens the person's own copy of a submitted case. */
  async revise(): Promise<void> {
    if (this.now.value.revisable && this.isFree()) await this.attempt(async () => this.go(await this.api.revise()));
  }

  private isFree(): boolean {
    if (this.isMoving.value) return false;
    if (this.session.saving.value === "saved") return true;
    this.session.notices.say(gettext("Not everything is saved yet. Try again in a moment."));
    return false;
  }

  private make(move: MoveName, reason: string): Promise<void> {
    return this.attempt(async () => {
      this.now.value = await this.api.move(move, reason);
      if (this.isReview(move)) this.go(this.nextReview);
    });
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    this.isMoving.value = true;
    try {
      await work();
    } catch (error) {
      this.session.notices.say((error as Error).message);
    } finally {
      this.isMoving.value = false;
    }
  }
}
