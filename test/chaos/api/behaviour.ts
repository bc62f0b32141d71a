/** Ways of failing a request, each before or after the API has taken its message; `errors` only before. */
export const faults = {
  errors: "answers 5xx",
  hang: "takes requests and does not answer",
  reset: "resets connections when the request is read",
  garbage: "answers what is no HTTP",
  flood: "answers 100 MB",
} as const;
export type Fault = keyof typeof faults;

/** What the API does with the requests that come from now on. */
export type Behaviour =
  /** Answers 204 to all. */
  | { readonly kind: "proper" }
  /** Fails a part of the attempts, from 0 to 1; which ones, the seed says. */
  | { readonly kind: "faulty"; readonly fault: Fault; readonly part: number }
  /** Its port is closed, and so are its connections. */
  | { readonly kind: "down" };
