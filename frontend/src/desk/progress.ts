/** Where the case stands on its way to an accepted segmentation, and what this person can do about that. */
import { signal } from "@preact/signals-core";
import type { Session } from "../session/session";

/** As `annotator/annotation/progress.py` has them. */
export const STATES = {
  assigned: "new",
  in_progress: "in progress",
  submitted: "submitted",
  returned: "returned",
  accepted: "accepted",
  skipped: "skipped",
  handed_back: "handed back",
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
  submit: { name: "Submit" },
  take_back: { name: "Take back" },
  accept: { name: "Accept" },
  return: { name: "Return", asks: "What is to be done again?" },
  reopen: { name: "Reopen", asks: "Why is it opened again?" },
  skip: { name: "Skip", asks: "Why can this case not be done?" },
  hand_back: { name: "Hand back" },
  withdraw: { name: "Withdraw" },
} as const satisfies Readonly<Record<string, Move>>;
export type MoveName = keyof typeof MOVES;

export interface Standing {
  readonly state: State;
  /** Whether this person may change masks now. */
  readonly editable: boolean;
  readonly moves: readonly MoveName[];
  /** The last reason that somebody gave for a move. */
  readonly reason: { readonly text: string; readonly person: string; readonly state: State } | null;
}

/** Makes a move on the server. Rejects with a sentence. */
export type MakeMove = (move: MoveName, reason: string) => Promise<Standing>;

export class Progress {
  readonly now;
  /** The move whose reason the person is asked for. */
  readonly asking = signal<MoveName | undefined>(undefined);
  readonly isMoving = signal(false);
  private readonly session: Session;
  private readonly make: MakeMove;

  constructor(standing: Standing, session: Session, make: MakeMove) {
    this.now = signal(standing);
    [this.session, this.make] = [session, make];
  }

  /** Why no mask can be changed, where that is so. */
  get refusal(): string | undefined {
    const { state, editable } = this.now.value;
    if (editable) return undefined;
    return OPEN.includes(state)
      ? "You can look at this case, but only its annotator can change it."
      : `This case is ${STATES[state]}; its masks stay as they are.`;
  }

  /** Makes a move, or asks for its reason first. Nothing moves while work is on its way to the server. */
  request(move: MoveName): void {
    if (!this.now.value.moves.includes(move) || this.isMoving.value) return;
    if (this.session.saving.value !== "saved") {
      this.session.notices.say("Not everything is saved yet. Try again in a moment.");
      return;
    }
    if ("asks" in MOVES[move]) this.asking.value = move;
    else void this.go(move, "");
  }

  /** The person's answer; an empty one leaves things as they are. */
  answer(reason: string): void {
    const move = this.asking.value;
    this.asking.value = undefined;
    if (move && reason.trim()) void this.go(move, reason);
  }

  private async go(move: MoveName, reason: string): Promise<void> {
    this.isMoving.value = true;
    try {
      this.now.value = await this.make(move, reason);
    } catch (error) {
      this.session.notices.say((error as Error).message);
    } finally {
      this.isMoving.value = false;
    }
  }
}
