import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

const never = new AbortController().signal;

/** Tasks that begin when it is their turn and end when the test says so. */
class Tasks {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<string>>();

  task(name: string): () => Promise<string> {
    const end = Promise.withResolvers<string>();
    this.#ends.set(name, end);
    return () => {
      this.begun.push(name);
      return end.promise;
    };
  }

  end(name: string): void {
    this.#ends.get(name)?.resolve(name);
  }

  fail(name: string): void {
    this.#ends.get(name)?.reject(new Error(name));
  }
}

test("tasks of one key follow one another, those of others run at the same time", async () => {
  const turns = new Turns();
  const tasks = new Tasks();
  const a1 = turns.run("a", never, tasks.task("a1"));
  const a2 = turns.run("a", never, tasks.task("a2"));
  const b1 = turns.run("b", never, tasks.task("b1"));
  expect(tasks.begun).toEqual(["a1", "b1"]);
  tasks.end("b1");
  expect(await b1).toBe("b1");
  expect(tasks.begun).toEqual(["a1", "b1"]);
  tasks.end("a1");
  expect(await a1).toBe("a1");
  tasks.end("a2");
  expect(await a2).toBe("a2");
  expect(tasks.begun).toEqual(["a1", "b1", "a2"]);
});

test("a task that fails does not keep the next one from its turn", async () => {
  const turns = new Turns();
  const tasks = new Tasks();
  const first = turns.run("a", never, tasks.task("1"));
  const second = turns.run("a", never, tasks.task("2"));
  tasks.fail("1");
  await expect(first).rejects.toThrow("1");
  tasks.end("2");
  expect(await second).toBe("2");
});

test("who gives up waiting is told at once, never begins, and lets nobody overtake", async () => {
  const turns = new Turns();
  const tasks = new Tasks();
  const patience = new AbortController();
  const first = turns.run("a", never, tasks.task("1"));
  const second = turns.run("a", patience.signal, tasks.task("2"));
  const third = turns.run("a", never, tasks.task("3"));
  patience.abort(new Error("too long"));
  await expect(second).rejects.toThrow("too long");
  expect(tasks.begun).toEqual(["1"]);
  tasks.end("1");
  await first;
  tasks.end("3");
  await third;
  expect(tasks.begun).toEqual(["1", "3"]);
});
