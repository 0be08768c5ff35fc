// The bell of every page: how many notices a person has not seen, and each new one as it comes.

import { listen, type SocketLike, socketAt } from "../live/connection";
import "./notices.css";

export interface News {
  readonly unseen: number;
  readonly text: string; // empty where only the count has changed
  readonly url: string;
}

const SHOWN = 3; // toasts at once
const STAYS = 20_000; // ms

/** Keeps the page's count true for as long as it is open; does nothing where nobody is logged in. */
export function followNotices(page: Document, open: () => SocketLike = () => socketAt("/ws/notices/")): void {
  const count = page.querySelector<HTMLElement>("[data-unseen]");
  const region = page.querySelector<HTMLElement>(".toasts");
  if (!count || !region) return;
  listen(open, (frame) => {
    const news = JSON.parse(frame) as News;
    showCount(count, news.unseen);
    if (news.text) showToast(page, region, news);
  });
}

function showCount(count: HTMLElement, unseen: number): void {
  count.textContent = String(unseen);
  count.hidden = !unseen;
}

function showToast(page: Document, region: HTMLElement, { text, url }: News): void {
  while (region.children.length >= SHOWN) region.firstElementChild?.remove();
  const toast = region.appendChild(page.createElement("p"));
  const link = toast.appendChild(page.createElement("a"));
  link.href = url;
  link.textContent = text;
  const close = toast.appendChild(page.createElement("button"));
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", region.dataset.close ?? "");
  close.addEventListener("click", () => toast.remove());
  setTimeout(() => leave(toast), STAYS);
}

/** What somebody points at or is on stays. */
function leave(toast: HTMLElement): void {
  if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), STAYS);
  else toast.remove();
}
