import { misbehave } from "../misbehave.ts";

/** 100 MB in the body of an answer that says success, or in the head of one that says nothing. */
export const apiFlood = misbehave("flood", [0.2, 1]);
