/** What is said about the case: the list, the place of the next comment, and its text. */
import { useEffect, useRef } from "preact/hooks";
import type { Comment } from "../desk/comments";
import { spelled } from "../desk/keys";
import { voxel } from "../viewer/geometry";
import type { Work } from "./context";
import { dayAndTime, gettext } from "../words";

export function Comments({ work }: { work: Work }) {
  const { comments, progress, keys } = work.desk;
  const { value: all } = comments.list;
  const resolved = all.filter((comment) => comment.resolved);
  const open = comments.open.value;
  const isOver = progress.now.value.state === "accepted";
  return (
    <section class="comments">
      <h2>
        {gettext("Comments")}{" "}
        <span class="count">{open.length ? gettext("%(n)s open", { n: open.length }) : gettext("none open")}</span>
      </h2>
      {!isOver && <Begin work={work} />}
      <DraftForm work={work} />
      {open.length > 0 && <List work={work} comments={open} isOver={isOver} />}
      {resolved.length > 0 && (
        <details>
          <summary>{gettext("Resolved (%(n)s)", { n: resolved.length })}</summary>
          <List work={work} comments={resolved} isOver={isOver} />
        </details>
      )}
      {open.length > 1 && (
        <p class="hint">{gettext("%(key)s goes to the next one.", { key: keys.name("next-comment") })}</p>
      )}
    </section>
  );
}

function Begin({ work: { desk, viewer } }: { work: Work }) {
  const { isPlacing } = desk.comments;
  const pin = () => {
    desk.startComment();
    viewer.host.focus();
  };
  return (
    <div class="edits">
      <button type="button" aria-pressed={isPlacing.value} title={desk.keys.name("comment")} onClick={pin}>
        {isPlacing.value ? gettext("Press the slice…") : gettext("Pin a comment")}
      </button>
      <button type="button" title={desk.keys.name("comment-slice")} onClick={() => desk.commentOnSlice()}>
        {gettext("On this slice")}
      </button>
    </div>
  );
}

function DraftForm({ work: { desk, viewer } }: { work: Work }) {
  const { comments } = desk;
  const draft = comments.draft.value;
  const text = useRef<HTMLTextAreaElement>(null);
  useEffect(() => text.current?.focus(), [draft]);
  if (!draft) return null;
  const send = async () => {
    await comments.send(text.current?.value ?? "");
    if (!comments.draft.value) viewer.host.focus();
  };
  const cancel = () => {
    comments.cancel();
    viewer.host.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label for="comment-text">
        {draft.x === null
          ? gettext("About slice %(z)s", { z: draft.z + 1 })
          : gettext("At the pin on slice %(z)s", { z: draft.z + 1 })}
      </label>
      <textarea id="comment-text" ref={text} rows={3} maxLength={2000} required onKeyDown={onKeyDown} />
      <div class="presets">
        <button type="submit" class="button primary" title={spelled("Ctrl+Enter")}>
          {gettext("Comment")}
        </button>
        <button type="button" class="button" onClick={cancel}>
          {gettext("Cancel")}
        </button>
      </div>
    </form>
  );
}

function List({ work, comments, isOver }: { work: Work; comments: readonly Comment[]; isOver: boolean }) {
  return (
    <ol>
      {comments.map((comment) => (
        <Entry key={comment.id} work={work} comment={comment} isOver={isOver} />
      ))}
    </ol>
  );
}

function Entry({ work: { desk, viewer }, comment, isOver }: { work: Work; comment: Comment; isOver: boolean }) {
  const { comments } = desk;
  const { id, person, text, z, y, x, at, resolved } = comment;
  const isChosen = comments.chosen.value === id;
  const go = () => {
    desk.goToComment(comment);
    if (x !== null && y !== null) viewer.reveal(voxel(x, y));
    viewer.host.focus();
  };
  return (
    <li class={isChosen ? "comment is-chosen" : "comment"} aria-current={isChosen}>
      <button type="button" class="place" title={dayAndTime(at)} onClick={go}>
        <i class={resolved ? "number is-resolved" : "number"}>{comments.numberOf(comment)}</i>
        <span>
          {x === null ? gettext("Slice %(z)s, all of it", { z: z + 1 }) : gettext("Slice %(z)s", { z: z + 1 })}
        </span>
        <span class="who">{person}</span>
      </button>
      <p>{text}</p>
      {resolved && <p class="hint">{gettext("Resolved by %(person)s", { person: resolved.person })}</p>}
      {!isOver && (
        <button type="button" class="resolve" onClick={() => void comments.resolve(comment, !resolved)}>
          {resolved ? gettext("Open again") : gettext("Resolve")}
        </button>
      )}
    </li>
  );
}
