import { expect, test } from "vitest";
import { runRoutes } from "./run-routes.ts";

test("one route's error stops no other, and all are told at the end", async () => {
  const done: string[] = [];
  const run = runRoutes(["a", "b", "c", "d"], async (route) => {
    if (route === "a" || route === "c") throw new Error(`${route} is gone`);
    await new Promise(setImmediate);
    done.push(route);
  });
  await expect(run).rejects.toMatchObject({ routes: ["a", "c"], message: "a: a is gone; c: c is gone" });
  expect(done).toEqual(["b", "d"]);
});

test("runs a route once that is named twice", async () => {
  const done: string[] = [];
  await runRoutes(["a", "a"], async (route) => {
    done.push(route);
  });
  expect(done).toEqual(["a"]);
});
