/** What Django wants to see in every request that changes something, from its cookie. */
export const csrfToken = (): string => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
