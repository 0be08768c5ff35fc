/** What people say about the case, pinned to slices and points of them. Numbers count from the oldest, and stay. */
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Notices } from "../session/notices";
import type { Voxel } from "../viewer/geometry";
import type { Pin } from "../viewer/layers";

/** As `annotator/api/case.py` has it. */
export interface Comment {
  readonly id: number;
  readonly person: string;
  readonly text: string;
  readonly z: number;
  /** Null where it is about the whole slice. */
  readonly y: number | null;
  readonly x: number | null;
  readonly label: number | null;
  readonly at: string;
  readonly resolved: { readonly person: string; readonly at: string } | null;
}

export type NewComment = Pick<Comment, "text" | "z" | "y" | "x" | "label">;
/** Where a comment that is being written will be pinned. */
export type Draft = Omit<NewComment, "text">;

/** Every call rejects with a sentence. */
export interface CommentApi {
  readonly load: () => Promise<readonly Comment[]>;
  readonly add: (comment: NewComment) => Promise<Comment>;
  readonly resolve: (comment: number, resolved: boolean) => Promise<Comment>;
}

export class Comments {
  readonly list = signal<readonly Comment[]>([]);
  /** Those that nobody has resolved. */
  readonly open: ReadonlySignal<readonly Comment[]>;
  /** The slices that they are about, lowest first. */
  readonly slices: ReadonlySignal<readonly number[]>;
  /** Whether the next press on the slice places a pin. */
  readonly isPlacing = signal(false);
  readonly draft = signal<Draft | undefined>(undefined);
  readonly chosen = signal<number | undefined>(undefined);
  private readonly api: CommentApi;
  private readonly notices: Notices;

  constructor(api: CommentApi, notices: Notices) {
    [this.api, this.notices] = [api, notices];
    this.open = computed(() => this.list.value.filter(({ resolved }) => !resolved));
    this.slices = computed(() => [...new Set(this.open.value.map(({ z }) => z))].sort((a, b) => a - b));
  }

  numberOf(comment: Comment): number {
    return this.list.value.indexOf(comment) + 1;
  }

  /** The pins of a slice: open comments, the chosen one, and the one that is being written. */
  pinsOn(z: number): readonly Pin[] {
    const shown = this.list.value.filter(
      (comment) => comment.z === z && (!comment.resolved || comment.id === this.chosen.value),
    );
    const pins = shown.flatMap((comment) => pinOf(comment, `${this.numberOf(comment)}`, this.chosen.value));
    const { value: draft } = this.draft;
    return draft?.z === z ? [...pins, ...pinOf({ ...draft, id: 0, resolved: null }, "?", 0)] : pins;
  }

  async load(): Promise<void> {
    await this.attempt(async () => {
      this.list.value = await this.api.load();
    });
  }

  /** Begins to write about a slice, or about a point of it. */
  begin(z: number, label: number, at?: Voxel): void {
    this.isPlacing.value = false;
    this.draft.value = { z, y: at?.y ?? null, x: at?.x ?? null, label };
  }

  cancel(): void {
    this.isPlacing.value = false;
    this.draft.value = undefined;
  }

  /** Sends what was written; it stays to be sent again where the server refuses. */
  async send(text: string): Promise<void> {
    const { value: draft } = this.draft;
    if (!draft || !text.trim()) return;
    await this.attempt(async () => {
      this.put(await this.api.add({ ...draft, text }));
      this.draft.value = undefined;
    });
  }

  async resolve({ id }: Comment, resolved: boolean): Promise<void> {
    await this.attempt(async () => this.put(await this.api.resolve(id, resolved)));
  }

  /** The server may have told of it already. */
  private put(comment: Comment): void {
    const isKnown = this.list.value.some(({ id }) => id === comment.id);
    const others = this.list.value.map((other) => (other.id === comment.id ? comment : other));
    this.list.value = isKnown ? others : [...others, comment];
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.notices.say((error as Error).message);
    }
  }
}

function pinOf(
  { id, y, x, resolved }: Pick<Comment, "id" | "y" | "x" | "resolved">,
  text: string,
  chosen: number | undefined,
): Pin[] {
  return y === null || x === null ? [] : [{ x, y, text, isChosen: id === chosen, isResolved: resolved !== null }];
}
