import { expect, onTestFinished, test } from "vitest";
import { type Service, ServiceEndpoint, ServiceError, type ServiceRequest } from "./service-endpoint.ts";

async function start(answer: Service["answer"]): Promise<ServiceEndpoint> {
  const refuse = ({ type, message, status }: ServiceError) => ({ status, body: { type, message } });
  const endpoint = await ServiceEndpoint.start({ echo: { answer, refuse } });
  onTestFinished(() => endpoint[Symbol.asyncDispose]());
  return endpoint;
}

test("a service sees what is below its own path", async () => {
  const endpoint = await start(({ method, path, query, body }) => ({
    status: 202,
    body: { method, path, query: query.toString(), body },
  }));
  const response = await fetch(`${endpoint.url("echo")}/a/b?c=1`, { method: "PUT", body: "é" });
  expect(response.status).toBe(202);
  expect(await response.json()).toEqual({ method: "PUT", path: "/a/b", query: "c=1", body: "é" });
});

test.for([
  ["/echo", "without the prefix that nobody can guess"],
  ["/00000000-0000-4000-8000-000000000000/echo", "with a wrong prefix"],
] as const)("%s is refused: %s", async ([path]) => {
  const endpoint = await start(() => ({ status: 200, body: {} }));
  expect((await fetch(new URL(path, endpoint.url("echo")))).status).toBe(403);
});

test("a service that there is not is refused", async () => {
  const endpoint = await start(() => ({ status: 200, body: {} }));
  expect((await fetch(endpoint.url("constructor"))).status).toBe(403);
});

test("the caller's mistake and the service's own are told apart", async () => {
  const endpoint = await start(({ path }) => {
    throw path === "/mine" ? new Error("broken") : new ServiceError("Wrong", "not so");
  });
  const ask = async (path: string) => (await fetch(endpoint.url("echo") + path)).json();
  expect(await ask("/yours")).toEqual({ type: "Wrong", message: "not so" });
  expect(await ask("/mine")).toEqual({ type: "InternalServiceError", message: "Error: broken" });
});

test("a request that is too large is refused", async () => {
  const endpoint = await start(() => ({ status: 200, body: {} }));
  const response = await fetch(endpoint.url("echo"), { method: "POST", body: "x".repeat(8 * 1024 * 1024) });
  expect(response.status).toBe(413);
});

test("who goes away is not waited for, and the end of the endpoint neither", async () => {
  const asked = Promise.withResolvers<ServiceRequest>();
  const endpoint = await start((request) => {
    asked.resolve(request);
    return new Promise(() => {});
  });
  const gone = new AbortController();
  const outcome = fetch(endpoint.url("echo"), { signal: gone.signal }).catch(({ name }) => name);
  const { signal } = await asked.promise;
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  gone.abort();
  await aborted;
  expect(await outcome).toBe("AbortError");
  const other = fetch(endpoint.url("echo")).catch(({ name }) => name);
  await endpoint[Symbol.asyncDispose]();
  expect(await other).toBe("TypeError");
});
