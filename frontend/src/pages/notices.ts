// The bell of every page: how many notices a person has not seen, and each new one as it comes.

export interface News {
  readonly unseen: number;
  readonly text: string; // empty where only the count has changed
  readonly url: string;
}

export const NOT_LOGGED_IN = 4401;
const PATIENCE = 60_000; // ms between two tries at the most
const SHOWN = 3; // toasts at once
const STAYS = 20_000; // ms

/** Keeps the page's count true for as long as it is open; does nothing where nobody is logged in. */
export function followNotices(page: Document, open = openSocket): void {
  const count = page.querySelector<HTMLElement>("[data-unseen]");
  const region = page.querySelector<HTMLElement>(".toasts");
  if (count && region) connect(page, count, region, open, 1000);
}

export function openSocket(): WebSocket {
  return new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/notices/`);
}

function connect(page: Document, count: HTMLElement, region: HTMLElement, open: () => WebSocket, wait: number): void {
  const socket = open();
  let next = Math.min(2 * wait, PATIENCE);
  socket.addEventListener("message", (event) => {
    next = 1000;
    const news = JSON.parse(event.data) as News;
    showCount(count, news.unseen);
    if (news.text) showToast(page, region, news);
  });
  socket.addEventListener("close", ({ code }) => {
    if (code !== NOT_LOGGED_IN) setTimeout(() => connect(page, count, region, open, next), wait);
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
