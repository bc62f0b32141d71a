import { misbehave } from "../misbehave.ts";

/** No answer to some requests, each of which keeps its batch until its time is over; then to none at all. */
export const apiHang = misbehave("hang", [0.05, 1]);
