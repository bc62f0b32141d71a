import { misbehave } from "../misbehave.ts";

export const apiGarbage = misbehave("garbage", [0.2, 1]);
