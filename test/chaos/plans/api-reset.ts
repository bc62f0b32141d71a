import { misbehave } from "../misbehave.ts";

/** So few resets at first that the circuit stays closed, and a batch has messages of both kinds. */
export const apiReset = misbehave("reset", [0.2, 1]);
